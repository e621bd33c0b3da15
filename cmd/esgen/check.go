package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esgen/esgen/cmd/esgen/internal/lock"
	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// checking is one run of the verb check.
type checking struct {
	generation
	against, format, reason, db, schema string
	accept                              []string
	update                              bool

	found []finding
	// used are the -accept that stood for a breach.
	used map[string]bool
	// moved are the locks that packages had elsewhere in the commit of -against.
	moved map[string]lock.File
}

// finding is a breach with the file in which it is.
type finding struct {
	lock.Breach
	path string
}

// check is the verb check.
func check(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := checking{generation: generation{stdout: stdout, stderr: stderr}, used: make(map[string]bool), moved: make(map[string]lock.File)}
	flags := flag.NewFlagSet("esgen check", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.against, "against", "", "")
	flags.StringVar(&c.format, "format", "text", "")
	flags.StringVar(&c.reason, "reason", "", "")
	flags.StringVar(&c.db, "db", "", "")
	flags.StringVar(&c.schema, "schema", "", "")
	flags.BoolVar(&c.update, "update", false, "")
	flags.BoolVar(&c.verbose, "v", false, "")
	flags.Func("accept", "", func(text string) error { c.accept = append(c.accept, text); return nil })
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, manual())
		return exitOK
	} else if err != nil {
		return usage(stderr, err.Error())
	}
	if message := c.wrong(); message != "" {
		return usage(stderr, message)
	}
	var err error
	if c.here, err = os.Getwd(); err != nil {
		return c.fail(err)
	}
	dirs, err := directories(ctx, c.here, flags.Args())
	if err != nil {
		return c.fail(err)
	}
	packages, err := scan.Packages(ctx, dirs)
	if err != nil {
		return c.fail(err)
	}
	if c.db == "" {
		missing, err := c.gone(ctx, flags.Args(), packages)
		if err != nil {
			return c.fail(err)
		}
		packages = append(packages, missing...)
	}
	checked := 0
	for _, p := range packages {
		for _, problem := range p.Problems {
			c.problem(problem)
		}
		if p.Model == nil && len(p.Problems) == 0 && c.db == "" {
			if p.Model, err = c.emptied(ctx, p.Dir); err != nil {
				c.fail(err)
			}
		}
		if p.Model == nil || len(p.Problems) > 0 {
			continue
		}
		checked++
		if c.db != "" {
			err = c.stored(ctx, p)
		} else {
			err = c.one(ctx, p)
		}
		if err != nil {
			c.fail(err)
		}
	}
	if checked == 0 && c.code == exitOK {
		return c.fail(errors.New("check: there is no package with events"))
	}
	for _, a := range c.accept {
		if !c.used[a] && c.code != exitTool {
			c.fail(fmt.Errorf("-accept %s: there is no such breach", a))
		}
	}
	return c.tell()
}

// wrong says which flags contradict each other, or nothing.
func (c *checking) wrong() string {
	switch {
	case !slices.Contains([]string{"text", "json", "github"}, c.format):
		return "-format=" + c.format + ": there are text, json and github"
	case len(c.accept) > 0 && (!c.update || c.reason == ""):
		return "-accept goes with -update and -reason, which is kept in the lock"
	case c.reason != "" && len(c.accept) == 0:
		return "-reason goes with -accept"
	case c.update && c.against != "":
		return "-update writes the lock of this directory: leave -against out"
	case c.db != "" && (c.update || c.against != ""):
		return "-db holds the program against what is stored: leave -update and -against out"
	case c.schema != "" && !isPostgres(c.db):
		return "-schema goes with -db postgres://…"
	case c.against != "" && !strings.HasPrefix(c.against, "git:"):
		return "-against=" + c.against + ": write git:REF, such as git:origin/main"
	}
	for _, a := range c.accept {
		if rule, where, ok := strings.Cut(a, ":"); !ok || where == "" || !isRule(rule) {
			return "-accept=" + a + ": write RULE:WHERE as esgen check prints it, such as FIELD_REMOVED:bank.deposited@1/by"
		}
	}
	return ""
}

func isRule(id string) bool {
	return slices.ContainsFunc(lock.Rules(), func(r lock.Rule) bool { return r.ID == id })
}

// one checks a package, or brings its lock up to date.
func (c *checking) one(ctx context.Context, p scan.Package) error {
	path := filepath.Join(p.Dir, lock.Name)
	was, exists, err := c.locked(ctx, p.Dir, path)
	if err != nil {
		return err
	}
	now := lock.Of(*p.Model)
	if now.Accepted, err = c.wanted(was, now, *p.Model, path); err != nil {
		return err
	}
	breaches := lock.Check(was, now, *p.Model, c.against == "")
	if !exists && c.against == "" {
		breaches = []lock.Breach{{
			Rule: "LOCK_STALE", Where: p.Model.Name, At: templates.Position{File: lock.Name, Line: 1, Column: 1},
			Text: "there is no " + lock.Name + ": run esgen check -update and commit it",
		}}
	}
	if c.update {
		breaches = slices.DeleteFunc(breaches, func(b lock.Breach) bool { return b.Rule == "LOCK_STALE" })
	}
	breaking := false
	for _, b := range breaches {
		breaking = breaking || !b.Warning
		if b.At.File == "" {
			b.At = templates.Position{File: lock.Name, Line: 1, Column: 1}
		}
		c.found = append(c.found, finding{b, c.relative(filepath.Join(p.Dir, b.At.File))})
	}
	if !c.update || breaking {
		return nil
	}
	return c.write(ctx, p, path, lock.Merge(was, now))
}

// emptied is the model of a package that has lost its last event, and nil if none
// were locked.
func (c *checking) emptied(ctx context.Context, dir string) (*templates.Package, error) {
	was, exists, err := c.locked(ctx, dir, filepath.Join(dir, lock.Name))
	if err != nil || !exists || len(was.Events) == 0 {
		return nil, err
	}
	return &templates.Package{Name: was.Package}, nil
}

// wanted is what is accepted of a package: what the arguments name, or what its lock
// has that the one of the other commit has not.
func (c *checking) wanted(was, now lock.File, p templates.Package, path string) ([]lock.Accepted, error) {
	if c.against != "" {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		var here lock.File
		if err == nil {
			here, err = lock.Parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", c.relative(path), err)
		}
		return slices.DeleteFunc(here.Accepted, func(a lock.Accepted) bool { return slices.Contains(was.Accepted, a) }), nil
	}
	var list []lock.Accepted
	for _, b := range lock.Check(was, now, p, true) {
		if text := b.Rule + ":" + b.Where; slices.Contains(c.accept, text) {
			c.used[text] = true
			list = append(list, lock.Accepted{Rule: b.Rule, Where: b.Where, Reason: c.reason})
		}
	}
	return list, nil
}

// locked reads the lock, of the directory or of a commit.
func (c *checking) locked(ctx context.Context, dir, path string) (f lock.File, exists bool, _ error) {
	if was, ok := c.moved[dir]; ok {
		return was, true, nil
	}
	name := c.relative(path)
	text, err := os.ReadFile(path)
	if c.against != "" {
		ref := strings.TrimPrefix(c.against, "git:")
		name = ref + ":" + name
		text, err = show(ctx, dir, c.against)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return lock.File{}, false, nil
	}
	if err == nil {
		f, err = lock.Parse(text)
	}
	if err != nil {
		return f, false, fmt.Errorf("read %s: %w", name, err)
	}
	return f, true, nil
}

// write brings the lock and the samples up to date.
func (c *checking) write(ctx context.Context, p scan.Package, path string, f lock.File) error {
	text, err := f.Bytes()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(old, text):
		c.say("unchanged", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", c.relative(path), err)
	default:
		if err := write(path, text); err != nil {
			return fmt.Errorf("write %s, which is as it was: %w", c.relative(path), err)
		}
		c.say("wrote", path)
	}
	if len(p.Model.Families) == 0 {
		return nil // the last event is gone, and its samples stay
	}
	return c.samples(ctx, p)
}
