package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// TestEveryRightIsNeeded takes the rights of the page away one by one: without any of
// them something is refused.
func TestEveryRightIsNeeded(t *testing.T) {
	t.Parallel()
	s, owner, app, schema := granted(t, forTheApplication, forHardDeletes)
	ctx, role := t.Context(), app.Config().ConnConfig.User
	stored := event("x", `{}`)
	mustAppend(t, s, batch("bank-2", 0, stored))
	mustAppend(t, s, one("bank-3", 0))
	if _, err := s.Link(ctx, "list-1", 0, stored.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscriptions().Open(ctx, store.Subscription{Name: "n", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	read := func(q store.Query) func() error {
		return func() error { _, err := collect(s.Read(ctx, q)); return err }
	}
	appending := func(batches ...store.Batch) func() error {
		return func() error { _, err := s.Append(ctx, batches...); return err }
	}
	snapshot := store.Snapshot{Stream: "bank-1", Version: 1, Type: "s", Format: store.JSON, Data: []byte(`{}`)}
	open := func(name string) func() error {
		return func() error {
			_, err := s.Subscriptions().Open(ctx, store.Subscription{Name: name, Lanes: make([]store.Lane, 1)})
			return err
		}
	}
	load := func() error { _, err := s.LoadSnapshot(ctx, "bank-1"); return err }
	save := func() error { return s.SaveSnapshot(ctx, snapshot) }
	k := s.Subscriptions()
	renew := func() error {
		_, err := k.Renew(ctx, store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"n"}})
		return err
	}
	parked := store.Parked{Key: "k", At: 1, Stream: "bank-1", Type: "x", State: store.ParkedWaiting}
	for right, call := range map[string]func() error{
		"USAGE ON SCHEMA %s":                read(store.Query{}),
		"SELECT ON %s.events":               read(store.Query{}),
		"SELECT ON %s.streams":              read(store.Query{Stream: "bank-1"}),
		"SELECT ON %s.links":                read(store.Query{Stream: "list-1"}),
		"SELECT ON %s.migrations":           func() error { return s.Check(ctx) },
		"SELECT ON %s.store":                func() error { _, err := s.Doctor(ctx); return err },
		"SELECT ON %s.subscriptions":        open("n"),
		"INSERT ON %s.subscriptions":        open("m"),
		"UPDATE ON %s.subscriptions":        func() error { return k.Pause(ctx, "n", false) },
		"DELETE ON %s.subscriptions":        func() error { return k.Delete(ctx, "nobody") },
		"SELECT ON %s.lanes":                func() error { _, err := k.Find(ctx, "n"); return err },
		"INSERT ON %s.lanes":                open("m"),
		"UPDATE ON %s.lanes":                func() error { return k.Advance(ctx, store.Move{Hold: store.Hold{Subscription: "n"}, To: 1}) },
		"SELECT ON %s.members":              renew,
		"INSERT ON %s.members":              renew,
		"UPDATE ON %s.members":              renew,
		"DELETE ON %s.members":              func() error { return k.Leave(ctx, uuid.New()) },
		"SELECT ON %s.parked":               func() error { _, err := k.Find(ctx, "n"); return err },
		"INSERT ON %s.parked":               func() error { return k.Park(ctx, store.Hold{Subscription: "n"}, parked) },
		"UPDATE ON %s.parked":               func() error { _, err := k.Mark(ctx, "n", "k", store.ParkedRetry, ""); return err },
		"DELETE ON %s.parked":               func() error { return k.Unpark(ctx, store.Hold{Subscription: "n"}, "k", 1) },
		"EXECUTE ON FUNCTION %s.renew":      renew,
		"EXECUTE ON FUNCTION %s.leave":      func() error { return k.Leave(ctx, uuid.New()) },
		"SELECT ON %s.snapshots":            load,
		"INSERT ON %s.snapshots":            save,
		"UPDATE ON %s.snapshots":            save,
		"DELETE ON %s.snapshots":            func() error { return s.DeleteSnapshot(ctx, "bank-1") },
		"EXECUTE ON FUNCTION %s.append":     appending(one("bank-1", store.Any), one("bank-2", store.Any)),
		"EXECUTE ON FUNCTION %s.append_one": appending(one("bank-1", store.Any)),
		"EXECUTE ON FUNCTION %s.append_waiting": func() error {
			return pgx.BeginFunc(ctx, app, func(tx pgx.Tx) error {
				_, err := s.WithTx(tx).Append(ctx, one("bank-1", store.Any))
				return err
			})
		},
		"EXECUTE ON FUNCTION %s.find_events":     appending(batch("bank-2", 0, stored)),
		"EXECUTE ON FUNCTION %s.link":            func() error { _, err := s.Link(ctx, "list-2", store.Any, stored.ID); return err },
		"EXECUTE ON FUNCTION %s.delete_stream":   func() error { return s.Delete(ctx, "bank-3", store.Any, store.Soft) },
		"EXECUTE ON FUNCTION %s.undelete_stream": func() error { return s.Undelete(ctx, "bank-3") },
		"EXECUTE ON FUNCTION %s.truncate_stream": func() error { return s.Truncate(ctx, "bank-3", 1, store.Soft) },
		"EXECUTE ON FUNCTION %s.remove":          func() error { return s.Delete(ctx, "bank-3", store.Any, store.Hard) },
		"EXECUTE ON FUNCTION %s.read_range":      read(store.Query{Since: time.Unix(0, 0)}),
		"EXECUTE ON FUNCTION %s.stream_info":     func() error { _, err := s.StreamInfo(ctx, "bank-1"); return err },
		"EXECUTE ON FUNCTION %s.load_snapshot":   load,
	} {
		right = fmt.Sprintf(right, schema)
		run(t, owner, "REVOKE "+right+" FROM "+role)
		if err := call(); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("without %s: %v", right, err)
		}
		run(t, owner, "GRANT "+right+" TO "+role)
	}
}
