package subscribe

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

type key struct{}

// listener keeps what it is told, or panics.
type listener struct {
	panics  bool
	began   []Handling
	ended   []Handled
	carried []any
	noticed []Notice
}

func (l *listener) Begin(ctx context.Context, h Handling) context.Context {
	if l.panics {
		panic("begin")
	}
	l.began = append(l.began, h)
	return context.WithValue(ctx, key{}, h.Attempt)
}

func (l *listener) End(ctx context.Context, _ Handling, r Handled) {
	if l.panics {
		panic("end")
	}
	l.ended, l.carried = append(l.ended, r), append(l.carried, ctx.Value(key{}))
}

func (l *listener) Notice(n Notice) {
	if l.panics {
		panic("notice")
	}
	l.noticed = append(l.noticed, n)
}

func TestObserverIsToldWhatHappens(t *testing.T) {
	t.Parallel()
	l := &listener{}
	o := observe(l, slog.New(slog.DiscardHandler))
	page := []store.Recorded{{Position: 4}, {Position: 5}}
	failed := errors.New("out of order")
	ctx, call := o.begin(t.Context(), HandlingBatch, "balances", 3, 2, page)
	if ctx.Value(key{}) != 2 {
		t.Error("the handler does not get the observer's context")
	}
	call.end(failed)
	o.notice(Notice{Kind: NoticeRetry, Subscription: "balances", Lane: 3})
	if len(l.began) != 1 || l.began[0].Count != 2 || len(l.began[0].Events) != 2 || l.began[0].Lane != 3 {
		t.Errorf("began %+v", l.began)
	}
	if len(l.ended) != 1 || !errors.Is(l.ended[0].Err, failed) || l.ended[0].Duration <= 0 || l.carried[0] != 2 {
		t.Errorf("ended %+v with %v", l.ended, l.carried)
	}
	if len(l.noticed) != 1 || l.noticed[0].Kind != NoticeRetry {
		t.Errorf("noticed %+v", l.noticed)
	}
}

func TestPanicsOfAnObserverBreakNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := observe(&listener{panics: true}, slog.New(slog.NewTextHandler(&log, nil)))
	ctx, call := o.begin(t.Context(), HandlingEvent, "balances", 0, 1, make([]store.Recorded, 1))
	if ctx != t.Context() {
		t.Error("the handler lost its context")
	}
	call.end(nil)
	o.notice(Notice{Kind: NoticeGained})
	if n := strings.Count(log.String(), "panicked"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
}

func TestNoObserverCostsNothing(t *testing.T) { //nolint:paralleltest // it counts allocations
	o := observe(nil, nil)
	page := make([]store.Recorded, 8)
	ctx := t.Context()
	allocations := testing.AllocsPerRun(100, func() {
		for i := range page {
			_, call := o.begin(ctx, HandlingEvent, "balances", 0, 1, page[i:i+1])
			call.end(nil)
		}
		o.notice(Notice{Kind: NoticeProgress, Lane: 1})
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
