package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/internal/printable"
)

// What is reported beyond these is seldom an accident. An append takes
// milliseconds.
const (
	longAppend   = 10.0  // seconds that a transaction holds events
	longWait     = 1.0   // seconds that somebody waits for the head or a stream
	longSnapshot = 300.0 // seconds that a snapshot is held
	longFailure  = 10.0  // seconds that a lane cannot go on
	// manySince is how many transactions may have begun since a snapshot that shows
	// no age, as those of replication slots and standbys.
	manySince = 1_000_000
	manyDead  = 100_000 // dead rows, if they are also half as many as the live ones
)

func (r *Report) find(severity Severity, what, remedy string) {
	r.Findings = append(r.Findings, Finding{Severity: severity, What: what, Remedy: remedy})
}

// judge turns what was seen into findings.
func (r *Report) judge() {
	r.judgeServer()
	for _, a := range r.Appending {
		if a.Age != nil && *a.Age > longAppend {
			r.find(Harmful, fmt.Sprintf("%s holds appended events that are not committed since %.0f s: nobody can append to their streams", a.who(), *a.Age),
				a.remedy("commit or roll back"))
		}
	}
	r.judgeLocks()
	for _, s := range r.Snapshots {
		if s.Age != nil && *s.Age > longSnapshot || s.Age == nil && s.Transactions > manySince {
			r.find(Harmful, fmt.Sprintf("%s %s keeps dead rows of the whole cluster from being removed: %d transactions have begun since", s.Kind, s.who(), s.Transactions),
				s.remedy("end it; drop a replication slot that nobody uses"))
		}
	}
	for _, t := range r.Tables {
		if t.Dead > manyDead && 2*t.Dead > t.Live {
			r.find(Harmful, fmt.Sprintf("table %s has %d dead rows beside %d live ones", t.Table, t.Dead, t.Live),
				"look at what holds old snapshots, then VACUUM it; is autovacuum on?")
		}
	}
	for _, l := range r.Lanes {
		name := fmt.Sprintf("lane %d of subscription %s", l.Lane, printable.Name(l.Subscription))
		switch {
		case l.Ended:
			r.find(Notable, fmt.Sprintf("%s is at %d and belongs to %s, member %s, whose membership ended %.0f s ago: nobody has taken it over",
				name, l.At, printable.Name(l.Label), l.Owner, l.Since), "run the subscription somewhere, or delete it if nobody needs it any more")
		case l.Since > longFailure:
			r.find(Harmful, fmt.Sprintf("%s is at %d and cannot go on since %.0f s: %s", name, l.At, l.Since, printable.Name(l.Error)),
				"look at what "+printable.Name(l.Label)+" logs")
		}
	}
	for _, f := range r.Filters {
		r.find(Notable, fmt.Sprintf("%d reads have filtered by %s, for which there is no index", f.Reads, f.Filter), "esctl index add "+f.Filter)
	}
	if l := r.Listener; l != nil && !l.Connected && l.Error != "" {
		r.find(Harmful, "the listener has no connection, so that subscriptions are not woken by the appends of other processes but find them by polling: "+l.Error,
			"look at the pool that the listener was made with: it must reach the server directly")
	}
	order := []Severity{Broken, Harmful, Notable}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
}

func (r *Report) judgeServer() {
	switch m := r.Migrations; {
	case m.At == 0:
		r.find(Broken, fmt.Sprintf("schema %s holds no store", r.Store), "create it: esctl create, or Migrate(ctx)")
	case m.At > m.Of:
		r.find(Broken, fmt.Sprintf("the schema is at migration %d, this program knows %d", m.At, m.Of), "use a newer release of the program")
	case m.At < m.Of:
		r.find(Broken, fmt.Sprintf("the schema is at migration %d of %d", m.At, m.Of), "migrate it: esctl migrate, or Migrate(ctx)")
	}
	v := r.Server
	if v.ReadOnly {
		r.find(Broken, "the server or the session is read-only, as a standby is: nothing can be appended", "connect to the primary")
	}
	if !v.Fsync {
		r.find(Broken, "fsync is off: a power loss can destroy the database", "set fsync = on in postgresql.conf")
	}
	if v.SynchronousCommit == "off" {
		r.find(Harmful, "synchronous_commit is off: acknowledged appends of the last moment do not survive a crash", "set it on for this role or database")
	}
	if 10*v.Connections > 9*v.MaxConnections {
		r.find(Harmful, fmt.Sprintf("%d of %d connections are taken", v.Connections, v.MaxConnections), "make pools smaller, or use a pooler")
	}
	if !v.SeesAll {
		r.find(Notable, fmt.Sprintf("role %s does not see what the sessions of other roles do", v.Role), "GRANT pg_monitor TO the role, to have more in this report")
	}
}

func (r *Report) judgeLocks() {
	for _, l := range r.Locks {
		if l.Held || l.Waited == nil || *l.Waited < longWait {
			continue
		}
		what := fmt.Sprintf("%s waits since %.0f s for %s, behind %s", l.who(), *l.Waited, l.lock(), pids(l.BlockedBy))
		remedy := "look at what that session does"
		for _, holder := range slices.Concat(r.heads(), r.Appending) {
			if slices.Contains(l.BlockedBy, holder.PID) {
				what, remedy = what+" "+holder.who(), holder.remedy("let it commit or roll back")
				break
			}
		}
		r.find(Harmful, what, remedy)
	}
}

// heads are the sessions that hold the head: one, or none.
func (r *Report) heads() (all []Session) {
	for _, l := range r.Locks {
		if l.Held && l.Lock == lockHead {
			all = append(all, l.Session)
		}
	}
	return all
}

const lockHead = "head"

func (l LockState) lock() string {
	if l.Lock == lockHead {
		return "the head, without which nobody can commit an append"
	}
	return "a " + l.Lock
}

// who names a session for a person.
func (v Session) who() string {
	var parts []string
	if v.PID != 0 {
		parts = append(parts, fmt.Sprintf("pid %d", v.PID))
	}
	for _, part := range []string{v.Application, v.User, v.State} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (v Session) remedy(first string) string {
	switch {
	case v.State == "prepared":
		return first + ": COMMIT PREPARED or ROLLBACK PREPARED " + quoteLiteral(v.Application)
	case v.PID != 0:
		return fmt.Sprintf("%s; SELECT pg_terminate_backend(%d) ends it", first, v.PID)
	}
	return first
}

func pids(all []int32) string {
	if len(all) == 0 {
		return "nobody any more"
	}
	text := make([]string, len(all))
	for i, pid := range all {
		if text[i] = fmt.Sprintf("pid %d", pid); pid == 0 {
			text[i] = "a prepared transaction"
		}
	}
	return strings.Join(text, ", ")
}
