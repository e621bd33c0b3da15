package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/esgen/esgen/runtime/store"
)

const (
	// streamsAtOnce bounds what is kept in memory: some 190 MB in all.
	streamsAtOnce = 1_000_000
	// page is how many listed streams are compared at once.
	page = 1000
	// shownProblems are enough to begin with.
	shownProblems = 20
)

// verification compares three views of a store: the order of all events, the list
// of streams, and where the first two do not settle it, the streams themselves.
//
// Streams are told apart by hashes, in as many passes over all events as it takes to
// keep only atOnce of them in memory.
type verification struct {
	t        target
	atOnce   int64
	holes    bool // are not wrong
	progress func(of, at int64)
	result   verified

	seed   maphash.Seed
	passes uint64
	seen   map[uint64]track
	// grown are the streams that have got events behind the last position that is
	// looked at, by the first such version.
	grown map[uint64]store.Version
	tail  store.Position
}

// track is what $all shows of a stream.
type track struct {
	first, last store.Version
	count       int64
}

func (v *verification) wrongf(format string, args ...any) {
	if v.result.Wrong++; len(v.result.Problems) < shownProblems {
		v.result.Problems = append(v.result.Problems, fmt.Sprintf(format, args...))
	}
}

func (v *verification) run(ctx context.Context) error {
	v.seed, v.grown, v.tail = maphash.MakeSeed(), make(map[uint64]store.Version), v.result.Position
	streams := int64(v.result.Position) // at most
	if streams > v.atOnce {
		streams = 0
		for _, err := range v.t.Streams(ctx, store.StreamQuery{Deleted: true}) {
			if err != nil {
				return err
			}
			streams++
		}
	}
	v.passes = uint64(max(1, (streams+v.atOnce-1)/v.atOnce))
	for pass := range v.passes {
		v.seen = make(map[uint64]track)
		if err := v.readAll(ctx, pass); err != nil {
			return err
		}
		if err := v.compare(ctx, pass); err != nil {
			return err
		}
		if err := v.unlisted(ctx); err != nil {
			return err
		}
	}
	return v.subscriptions(ctx)
}

func (v *verification) hash(stream string) uint64 { return maphash.String(v.seed, stream) }

// readAll follows $all, and the streams whose turn it is.
func (v *verification) readAll(ctx context.Context, pass uint64) error {
	r, of := &v.result, int64(v.passes)*int64(v.result.Position)
	var last store.Position
	for e, err := range v.t.Read(ctx, store.Query{}) {
		if err != nil {
			return err
		}
		if e.Position > r.Position {
			break
		}
		if pass == 0 {
			r.Events++
			switch {
			case e.Position <= last:
				v.wrongf("position %d follows %d", e.Position, last)
			case e.Position > last+1:
				if r.Holes == 0 {
					r.FirstHole = last + 1
				}
				r.Holes += int64(e.Position - last - 1)
			}
			if isLink(e) {
				v.wrongf("position %d: $all shows version %d of %s as a link to version %d of %s", e.Position,
					int64(e.Version), printable(e.Stream), int64(e.OriginalVersion), printable(e.OriginalStream))
			}
		}
		if last = max(last, e.Position); last%page == 0 {
			v.progress(of, int64(pass)*int64(r.Position)+int64(last))
		}
		h := v.hash(e.Stream)
		if h%v.passes != pass {
			continue
		}
		t := v.seen[h]
		if e.Version <= t.last {
			v.wrongf("position %d: version %d of %s follows version %d", e.Position, int64(e.Version), printable(e.Stream), int64(t.last))
		}
		if t.count == 0 {
			t.first = e.Version
		}
		t.last, t.count = max(t.last, e.Version), t.count+1
		v.seen[h] = t
	}
	return nil
}

// compare looks at every listed stream whose turn it is.
func (v *verification) compare(ctx context.Context, pass uint64) error {
	var infos []store.StreamInfo
	check := func() error {
		// What these streams have got before they were listed is in $all by now.
		if err := v.follow(ctx); err != nil {
			return err
		}
		for _, info := range infos {
			if err := v.compareStream(ctx, info); err != nil {
				return err
			}
		}
		infos = infos[:0]
		return nil
	}
	for info, err := range v.t.Streams(ctx, store.StreamQuery{Deleted: true}) {
		if err != nil {
			return err
		}
		if v.hash(info.Stream)%v.passes != pass {
			continue
		}
		if infos = append(infos, info); len(infos) == page {
			if err := check(); err != nil {
				return err
			}
		}
	}
	return check()
}

// follow notes which streams have grown meanwhile.
func (v *verification) follow(ctx context.Context) error {
	for e, err := range v.t.Read(ctx, store.Query{FromPosition: v.tail + 1}) {
		if err != nil {
			return err
		}
		v.tail = e.Position
		if h := v.hash(e.Stream); v.grown[h] == 0 {
			v.grown[h] = e.Version
		}
	}
	return nil
}

func (v *verification) compareStream(ctx context.Context, info store.StreamInfo) error {
	h := v.hash(info.Stream)
	t := v.seen[h]
	delete(v.seen, h)
	at := info.Version
	if grown := v.grown[h]; grown > 0 {
		at = min(at, grown-1)
	}
	if at == 0 {
		return nil
	}
	v.result.Streams++
	switch {
	case !info.Deleted.IsZero():
		v.result.Deleted++
		if t.last > at {
			v.wrongf("stream %s is listed at version %d, $all shows version %d", printable(info.Stream), int64(at), int64(t.last))
		}
		return nil
	case info.First <= 1 && t.first == 1 && t.last == at && t.count == int64(at):
		// The versions rise, and are as many as the last one says.
		return nil
	}
	// Links, truncation, or damage: the stream itself tells.
	return v.readStream(ctx, info, t, at)
}

// readStream reads a stream of which $all does not show every version.
func (v *verification) readStream(ctx context.Context, info store.StreamInfo, t track, at store.Version) error {
	name := printable(info.Stream)
	next, own := max(info.First, 1), int64(0)
	for e, err := range v.t.Read(ctx, store.Query{Stream: info.Stream}) {
		switch {
		case errors.Is(err, store.ErrStreamNotFound) && info.First > info.Version:
			return nil // truncated to nothing
		case errors.Is(err, store.ErrStreamNotFound), errors.Is(err, store.ErrStreamDeleted):
			return v.stillListed(ctx, info)
		case err != nil:
			return err
		}
		if e.Version != next {
			v.wrongf("stream %s: version %d follows version %d", name, int64(e.Version), int64(next)-1)
		}
		next = e.Version + 1
		if !isLink(e) {
			if e.Position <= v.result.Position {
				own++
			}
			continue
		}
		v.result.Links++
		if err := v.checkLink(ctx, name, e); err != nil {
			return err
		}
	}
	if next <= at && info.First <= at {
		v.wrongf("stream %s is listed at version %d, and ends at version %d", name, int64(at), int64(next)-1)
	}
	if own > t.count || own < t.count && info.First <= 1 {
		v.wrongf("stream %s shows %s of its own, $all shows %d", name, count(own, "event"), t.count)
	}
	return nil
}

// stillListed looks again for a stream that was listed but cannot be read: somebody
// may have deleted it meanwhile.
func (v *verification) stillListed(ctx context.Context, info store.StreamInfo) error {
	for now, err := range v.t.Streams(ctx, store.StreamQuery{Prefix: info.Stream}) {
		if err != nil {
			return err
		}
		if now.Stream == info.Stream {
			v.wrongf("stream %s is listed at version %d, and cannot be read", printable(info.Stream), int64(now.Version))
			break
		}
	}
	return nil
}

// checkLink finds the event that a link leads to.
func (v *verification) checkLink(ctx context.Context, name string, link store.Recorded) error {
	for e, err := range v.t.Read(ctx, store.Query{FromPosition: link.Position, Limit: 1}) {
		if err != nil {
			return err
		}
		if e.ID == link.ID && e.Stream == link.OriginalStream && e.Version == link.OriginalVersion {
			return nil
		}
	}
	v.wrongf("stream %s: version %d links to version %d of %s at position %d, where another event is",
		name, int64(link.Version), int64(link.OriginalVersion), printable(link.OriginalStream), link.Position)
	return nil
}

// unlisted names streams that $all shows and the list does not.
func (v *verification) unlisted(ctx context.Context) error {
	if len(v.seen) == 0 {
		return nil
	}
	for e, err := range v.t.Read(ctx, store.Query{}) {
		if err != nil {
			return err
		}
		if e.Position > v.result.Position || len(v.seen) == 0 {
			break
		}
		h := v.hash(e.Stream)
		if t, ok := v.seen[h]; ok {
			delete(v.seen, h)
			v.wrongf("stream %s has %s, the first at position %d, and is not listed", printable(e.Stream), count(t.count, "event"), e.Position)
		}
	}
	return nil
}
