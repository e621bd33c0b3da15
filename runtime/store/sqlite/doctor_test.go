package sqlite_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestTheDoctor(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	for range 200 {
		if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Findings) > 0 || r.Head.Position != 200 || r.File.Bytes == 0 || r.Migrations.At != len(sqlite.Migrations()) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}

	// Pages that are overwritten: the first one, with the schema, stays.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(slices.Repeat([]byte{0xff}, 4096), info.Size()-4096)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	damaged, err := sqlite.Open(file, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = damaged.Close(context.Background()) })
	r, err = damaged.Doctor(t.Context())
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Severity != "broken" || !strings.Contains(r.Findings[0].What, "SQLite finds damage") {
		t.Errorf("damaged: %+v, %v", r, err)
	}

	none, err := sqlite.Open(newFile(t), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = none.Close(context.Background()) })
	if r, err := none.Doctor(t.Context()); err != nil || len(r.Findings) != 1 || len(r.Migrations.Pending) != len(sqlite.Migrations()) {
		t.Errorf("without a file: %+v, %v", r, err)
	}
	if err := none.Check(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("without a file: %v", err)
	}
}

func TestTheDoctorShowsLanesThatDoNotGoOn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := migrated(t, newFile(t), sqlite.Config{Now: func() time.Time { return now }})
	k := s.Subscriptions()
	members := map[string]store.Member{}
	for name, lease := range map[string]time.Duration{"gone": time.Minute, "sick": time.Hour, "well": time.Hour} {
		if _, err := k.Open(t.Context(), store.Subscription{Name: name, Lanes: make([]store.Lane, 1)}); err != nil {
			t.Fatal(err)
		}
		m := store.Member{ID: uuid.New(), Label: "host of " + name, Lease: lease, Runs: []string{name}}
		r, err := k.Renew(t.Context(), m)
		if err != nil || len(r.Lanes) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		members[name] = m
		hold := store.Hold{Subscription: name, Token: r.Lanes[0].Token}
		if err := k.Advance(t.Context(), store.Move{Hold: hold, To: 7}); err != nil {
			t.Fatal(err)
		}
		if name == "sick" {
			if err := k.Report(t.Context(), hold, "no route\nto host"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r, err := s.Doctor(t.Context()); err != nil || len(r.Findings) != 0 || len(r.Lanes) != 1 || r.Lanes[0].Error != "no route\nto host" {
		t.Errorf("at once: %+v, %v", r, err)
	}
	now = now.Add(2 * time.Minute)
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Findings) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	want := []sqlite.LaneState{
		{Subscription: "sick", At: 7, Owner: members["sick"].ID, Label: "host of sick", Since: 120, Error: "no route\nto host"},
		{Subscription: "gone", At: 7, Owner: members["gone"].ID, Label: "host of gone", Since: 60, Ended: true},
	}
	if !slices.Equal(r.Lanes, want) {
		t.Errorf("got %+v, want %+v", r.Lanes, want)
	}
	if f := r.Findings[0]; f.Severity != "harmful" || f.What != `lane 0 of subscription sick is at 7 and cannot go on since 120 s: "no route\nto host"` || f.Remedy != `look at what host of sick logs` {
		t.Errorf("%+v", f)
	}
	if f := r.Findings[1]; f.Severity != "notable" || !strings.Contains(f.What, "whose membership ended 60 s ago: nobody has taken it over") {
		t.Errorf("%+v", f)
	}
}
