package subscribe_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// ends keeps how handlings ended.
type ends struct {
	mu    sync.Mutex
	begun int
	errs  []error
}

func (e *ends) Begin(ctx context.Context, _ subscribe.Handling) context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun++
	return ctx
}

func (e *ends) End(_ context.Context, _ subscribe.Handling, r subscribe.Handled) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.errs = append(e.errs, r.Err)
}

func (e *ends) Notice(subscribe.Notice) {}

// Whatever becomes of a delivery, its handling ends once.
func TestADeliveryThatIsTakenBackIsEnded(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 3)
	e := &ends{}
	p, err := subscribe.NewPull(db, "p", subscribe.Config{Observer: e})
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("not now")
	var out []*subscribe.Delivery
	for d, err := range p.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, d); len(out) == 3 {
			if err := out[0].Nack(refused); err != nil {
				t.Fatal(err)
			}
			e.mu.Lock()
			if len(e.errs) != 3 || !errors.Is(errors.Join(e.errs...), refused) || !errors.Is(errors.Join(e.errs...), subscribe.ErrStale) {
				t.Errorf("ended with %v", e.errs)
			}
			e.mu.Unlock()
		}
		if len(out) == 5 {
			if err := d.AckUpTo(); err != nil {
				t.Fatal(err)
			}
		}
		if len(out) == 6 {
			break
		}
	}
	if e.begun != 6 || len(e.errs) != 6 || e.errs[3] != nil && e.errs[4] != nil || !errors.Is(e.errs[5], subscribe.ErrLeaseLost) {
		t.Errorf("begun are %d, ended with %v", e.begun, e.errs)
	}
}
