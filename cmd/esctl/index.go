package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/esgen/esgen/runtime/store/postgres"
)

var indexVerb = verb{
	name: "index", args: []string{"add|list|drop", "[INDEX…]"}, about: "add, list or drop indexes for filtered reads",
	more: `An INDEX is type, or metadata.KEY for a key of the events' metadata. Without it, a
filter looks at every event. It is built and dropped while appends and reads go on; a
build that was cut off is done again by the next add. Each index costs every append.`,
	reach: several,
	prepare: func(*flag.FlagSet) action {
		return func(ctx context.Context, s shell, args []string) error { return s.index(ctx, args[0], args[1:]) }
	},
}

func (s shell) index(ctx context.Context, what string, args []string) error {
	indexes := make([]postgres.Index, len(args))
	for i, arg := range args {
		var err error
		if indexes[i], err = postgres.ParseIndex(arg); err != nil {
			return s.misused("%v", err)
		}
	}
	p, err := s.place()
	switch {
	case err != nil:
		return err
	case p.pool == nil:
		return s.misused("a SQLite store has all the indexes that there are; index is for PostgreSQL")
	case what == listName && len(args) > 0:
		return s.misused("index list takes no INDEX")
	case (what == "add" || what == dropName) && len(args) == 0:
		return s.misused("index %s takes at least one INDEX", what)
	}
	var act func(context.Context, *postgres.Store, postgres.Index) (string, error)
	switch what {
	case listName:
		return s.openAt(ctx, p, func(_ place, all []target) error { return s.indexes(ctx, all) })
	case "add":
		act = addIndex
	case dropName:
		act = dropIndex
	default:
		return s.misused("index takes add, list or drop, not %s", printable(what))
	}
	return s.openAt(ctx, p, func(_ place, all []target) error {
		return s.each(ctx, all, func(ctx context.Context, t target) (o outcome, _ error) {
			for _, i := range indexes {
				said, err := act(ctx, t.(schemaTarget).Store, i)
				if err != nil {
					return outcome{}, err
				}
				if o.Result != "" {
					o.Result += ", "
				}
				o.Result += i.String() + " " + said
			}
			return o, nil
		})
	})
}

func addIndex(ctx context.Context, db *postgres.Store, i postgres.Index) (string, error) {
	built, err := db.AddIndex(ctx, i)
	if built {
		return "built", err
	}
	return "was there", err
}

func dropIndex(ctx context.Context, db *postgres.Store, i postgres.Index) (string, error) {
	dropped, err := db.DropIndex(ctx, i)
	if dropped {
		return "dropped", err
	}
	return "was not there", err
}

// indexes lists those of several stores in one table.
func (s shell) indexes(ctx context.Context, all []target) error {
	var t table
	t.row("STORE", "INDEX", "STATE", "BYTES", "NAME")
	outcomes, err := s.visit(ctx, all, func(ctx context.Context, target target) (outcome, error) {
		list, err := target.(schemaTarget).Indexes(ctx)
		cutOff := 0
		for _, i := range list {
			state := "valid"
			switch {
			case i.Building != nil:
				state = fmt.Sprintf("pid %d builds it: %s, %d of %d blocks", i.Building.PID, i.Building.Phase, i.Building.Done, i.Building.Total)
			case !i.Valid:
				state = "cut off; add it again"
				cutOff++
			}
			t.row(target.Name(), i.For, state, group(i.Bytes), i.Name)
		}
		if err == nil && cutOff > 0 {
			err = foundError{"the building of an index was cut off"}
		}
		return outcome{Details: list}, err
	})
	for _, o := range outcomes {
		if o.Error != "" {
			t.row(o.Store, "", o.said(), "", "")
		}
	}
	if !s.json && (len(outcomes) > 1 || err == nil || len(t.rows) > 2) {
		t.print(s.stdout)
	}
	return err
}
