package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// asked makes an append of n events each to some streams, "name=expected".
func asked(n int, streams ...string) *appending {
	a := &appending{s: &Store{}, op: "append"}
	for _, text := range streams {
		var name string
		var expected int64
		if _, err := fmt.Sscanf(text, "%1s=%d", &name, &expected); err != nil {
			panic(err)
		}
		a.batches = append(a.batches, store.Batch{Stream: name, Expected: store.Version(expected), Events: make([]store.Event, n)})
		a.events += n
	}
	a.bytes, a.done = a.events*10, make(chan struct{})
	return a
}

func TestWhatIsSentTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		waiting []*appending
		// want are the flushes, by the places of the appends in waiting.
		want [][]int
	}{
		{"several streams", []*appending{asked(1, "a=0"), asked(2, "b=3"), asked(1, "c=-1", "d=0")}, [][]int{{0, 1, 2}}},
		{"exact expectations of a stream, one at a time", []*appending{asked(1, "a=0"), asked(1, "a=1"), asked(1, "a=2"), asked(1, "b=0")}, [][]int{{0, 3}, {1}, {2}}},
		{"nor two that expect the same", []*appending{asked(1, "a=0"), asked(1, "a=0"), asked(1, "b=7"), asked(1, "b=7")}, [][]int{{0, 2}, {1, 3}}},
		{"those that expect nothing share", []*appending{asked(1, "a=-1"), asked(5, "a=-1"), asked(1, "a=-1")}, [][]int{{0, 1, 2}}},
		{"those that expect the stream share", []*appending{asked(1, "a=-2"), asked(1, "a=-2"), asked(1, "a=-1"), asked(1, "a=-1")}, [][]int{{0, 1}, {2, 3}}},
		{"an exact expectation is not joined", []*appending{asked(1, "a=7"), asked(1, "a=-1"), asked(1, "a=-1")}, [][]int{{0}, {1, 2}}},
		{"nobody joins an append to several streams", []*appending{asked(1, "a=-1", "b=-1"), asked(1, "a=-1"), asked(1, "b=-1", "c=-1")}, [][]int{{0}, {1, 2}}},
		{"events are bounded", []*appending{asked(1500, "a=0"), asked(600, "b=0"), asked(400, "c=0"), asked(1, "d=0")}, [][]int{{0, 2, 3}, {1}}},
		{"a full flush takes nobody else", []*appending{asked(maxFlushEvents, "a=0"), asked(1, "b=0")}, [][]int{{0}, {1}}},
	} {
		q := queue{waiting: slices.Clone(c.waiting)}
		for _, a := range c.waiting {
			q.bytes += a.bytes
		}
		var got [][]int
		for f := q.take(); f != nil; f = q.take() {
			var places []int
			for _, a := range f.appends {
				places = append(places, slices.Index(c.waiting, a))
			}
			got = append(got, places)
		}
		if !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: sent %v, want %v", c.name, got, c.want)
		}
		if q.bytes != 0 || len(q.waiting) != 0 {
			t.Errorf("%s: %d bytes of %d appends are left", c.name, q.bytes, len(q.waiting))
		}
	}
}

func TestNewNamesOfAFlushAreBounded(t *testing.T) {
	t.Parallel()
	var q queue
	for i := range 2*maxFlushNames + 7 {
		q.waiting = append(q.waiting, &appending{
			batches: []store.Batch{{Stream: fmt.Sprint(i), Expected: store.NoStream, Events: make([]store.Event, 1)}}, events: 1, grouped: grouped{done: make(chan struct{})},
		})
	}
	for _, want := range []int{maxFlushNames, maxFlushNames, 7} {
		if f := q.take(); len(f.appends) != want {
			t.Errorf("%d appends to new streams are sent together, want %d", len(f.appends), want)
		}
	}
}

// TestAnswersOfAFlush gives a flush the reply of the database, and compares with what
// each append would have been told alone, one after another.
func TestAnswersOfAFlush(t *testing.T) {
	t.Parallel()
	f := &flush{places: make(map[string]int)}
	first, second, third := asked(2, "a=-1"), asked(3, "a=-1"), asked(1, "b=4", "c=0")
	lost, busy := asked(1, "d=2"), asked(1, "e=0")
	for _, a := range []*appending{first, second, third, lost, busy} {
		if !f.add(a) {
			t.Fatal("not taken")
		}
	}
	f.answer(&reply{head: 100, versions: []int64{7, 4, 0, 9, 0}, outcomes: []int32{0, 0, 0, 1, 2}})
	for _, c := range []struct {
		a    *appending
		want []store.Appended
	}{
		{first, []store.Appended{{Stream: "a", Version: 9, First: 101, Last: 102}}},
		{second, []store.Appended{{Stream: "a", Version: 12, First: 103, Last: 105}}},
		{third, []store.Appended{{Stream: "b", Version: 5, First: 106, Last: 106}, {Stream: "c", Version: 1, First: 107, Last: 107}}},
	} {
		<-c.a.done
		if c.a.answer.kind != verdictStored || !slices.Equal(c.a.answer.appended, c.want) {
			t.Errorf("%+v, want %+v", c.a.answer, c.want)
		}
	}
	var conflict *store.ConflictError
	if !errors.As(lost.answer.refusal, &conflict) || conflict.Actual != 9 {
		t.Errorf("conflict: %+v", lost.answer)
	}
	if busy.answer.kind != verdictBusy {
		t.Errorf("busy: %+v", busy.answer)
	}
}

// pretend is a connection that is none.
type pretend struct{}

func (pretend) Conn() *pgx.Conn { return nil }
func (pretend) Release()        {}

// TestNoAppendIsForgotten lets callers come and go while connections fail: each gets
// an answer, and nothing is left.
func TestNoAppendIsForgotten(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	failures := make(chan bool, 4000)
	for range cap(failures) {
		failures <- r.IntN(5) == 0
	}
	q := queue{
		stall:   func(*flush, int) {},
		full:    func(int, int) {},
		abandon: make(map[*context.CancelFunc]struct{}),
		acquire: func(ctx context.Context) (conn, error) {
			if <-failures {
				return nil, errors.New("no connection")
			}
			return pretend{}, ctx.Err()
		},
		send: func(_ context.Context, f *flush) {
			for _, a := range f.appends {
				a.answer = verdict{kind: verdictStored}
				close(a.done)
			}
		},
	}
	answers := make(chan string)
	const callers, each = 16, 100
	for range callers {
		leaves := r.IntN(3) == 0
		go func() {
			for i := range each {
				ctx, cancel := context.WithCancel(context.Background())
				if leaves && i%3 == 0 {
					cancel()
				}
				v, err := q.wait(ctx, asked(1, "a=-1"))
				cancel()
				switch {
				case err != nil:
					answers <- "left"
				case v.kind == verdictStored:
					answers <- "stored"
				default:
					answers <- "alone"
				}
			}
		}()
	}
	count := make(map[string]int)
	for range callers * each {
		select {
		case kind := <-answers:
			count[kind]++
		case <-time.After(20 * time.Second):
			t.Fatalf("an append was forgotten; answers so far: %v", count)
		}
	}
	if err := q.close(context.Background()); err != nil {
		t.Error(err)
	}
	if q.bytes != 0 || len(q.waiting) != 0 || q.flushers != 0 || len(q.abandon) != 0 {
		t.Errorf("left: %d bytes, %d appends, %d flushers, %d searches", q.bytes, len(q.waiting), q.flushers, len(q.abandon))
	}
	if count["stored"] == 0 || count["alone"] == 0 {
		t.Errorf("answers: %v, so this test shows little", count)
	}
}

// TestTheQueueIsBounded fills it, and lets the next caller in when there is room.
func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	q := queue{
		stall:   func(*flush, int) {},
		full:    func(int, int) {},
		abandon: make(map[*context.CancelFunc]struct{}),
		acquire: func(ctx context.Context) (conn, error) {
			select {
			case <-gate:
				return pretend{}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		send: func(_ context.Context, f *flush) {
			for _, a := range f.appends {
				close(a.done)
			}
		},
	}
	huge := func() *appending {
		a := asked(1, "a=-1")
		a.bytes = maxQueueBytes/2 + 1
		return a
	}
	ctx := context.Background()
	first := make(chan error, 1)
	go func() {
		_, err := q.wait(ctx, huge())
		first <- err
	}()
	for q.length() == 0 {
		select {
		case err := <-first:
			t.Fatal(err)
		default:
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := q.wait(ended, huge()); !errors.Is(err, context.Canceled) {
		t.Errorf("one that found no room was told %v", err)
	}
	second := make(chan error, 1)
	go func() {
		_, err := q.wait(ctx, huge())
		second <- err
	}()
	close(gate)
	for _, told := range []chan error{first, second} {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
	if err := q.close(ctx); err != nil {
		t.Error(err)
	}
}
