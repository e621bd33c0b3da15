package postgres

import (
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Report is what [Store.Doctor] has found out. Ages and waits are in seconds. Its
// names in JSON never change; there may come more.
type Report struct {
	Store string `json:"store"`
	// Time by the server's clock.
	Time       time.Time      `json:"time"`
	Server     ServerState    `json:"server"`
	Migrations MigrationState `json:"migrations"`
	Head       HeadState      `json:"head"`
	// Appending are the transactions that hold events which are not committed yet,
	// the oldest first, at most 20.
	Appending []Session `json:"appending"`
	// Locks are who holds the head, and who waits for it or for a stream, at most
	// 50.
	Locks []LockState `json:"locks"`
	// Snapshots are what keeps the cluster from removing dead rows, the oldest first,
	// at most 5.
	Snapshots []SnapshotState `json:"snapshots"`
	Tables    []TableState    `json:"tables"`
	Indexes   []IndexInfo     `json:"indexes"`
	// Lanes of subscriptions are those whose owner has ended and that nobody has
	// taken over, and those whose owner cannot go on, the longest first, at most 50.
	Lanes []LaneState `json:"lanes"`
	// Filters are those that this process has read with, and that no index serves;
	// nil if there are none.
	Filters []FilterState `json:"filters,omitempty"`
	// Queue and Listener are those of this process, nil if it has none.
	Queue    *QueueState    `json:"queue,omitempty"`
	Listener *ListenerState `json:"listener,omitempty"`
	// Findings are what somebody should look at, the gravest first.
	Findings []Finding `json:"findings"`
}

// Severity is how grave a [Finding] is.
type Severity string

const (
	// Broken is a store that does not work, or does not keep its promises.
	Broken Severity = "broken"
	// Harmful is what makes it work worse than it could, or not for long.
	Harmful Severity = "harmful"
	// Notable is what is good to know.
	Notable Severity = "notable"
)

// Finding is something that somebody should look at.
type Finding struct {
	Severity Severity `json:"severity"`
	// What is the case, with its numbers, and Remedy what to do.
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// ServerState is the server as the store's role sees it.
type ServerState struct {
	Version  string `json:"version"`
	Database string `json:"database"`
	Role     string `json:"role"`
	// ReadOnly is true of a standby, and of a session that is set so.
	ReadOnly bool `json:"read_only"`
	Fsync    bool `json:"fsync"`
	// SynchronousCommit decides what an acknowledged append survives.
	SynchronousCommit string `json:"synchronous_commit"`
	// Connections of the server, of at most MaxConnections.
	Connections    int `json:"connections"`
	MaxConnections int `json:"max_connections"`
	// SeesAll is whether the role may see what the sessions of others do.
	SeesAll bool `json:"sees_all"`
}

// MigrationState is how far the schema is.
type MigrationState struct {
	At      int      `json:"at"`
	Of      int      `json:"of"`
	Pending []string `json:"pending"`
}

// HeadState is the end of $all.
type HeadState struct {
	Position store.Position `json:"position"`
	// Epoch names this history of events.
	Epoch string `json:"epoch"`
	// Events and Streams are the planner's estimates, -1 before the first ANALYZE.
	Events  int64 `json:"events_estimate"`
	Streams int64 `json:"streams_estimate"`
}

// Session is a transaction and who it is. What the role may not see is empty.
type Session struct {
	// PID is 0 for a prepared transaction, whose name Application is then.
	PID         int32    `json:"pid"`
	Application string   `json:"application"`
	User        string   `json:"user"`
	State       string   `json:"state"`
	Age         *float64 `json:"age"`
	// Query is the last statement, cut off after 200 characters.
	Query string `json:"query"`
}

// LockState is a lock that somebody holds or waits for.
type LockState struct {
	// Lock is "head", "stream" or "new stream".
	Lock string `json:"lock"`
	Held bool   `json:"held"`
	// Waited is nil while it is not known.
	Waited *float64 `json:"waited"`
	// BlockedBy are the sessions that it waits for; 0 is a prepared transaction.
	BlockedBy []int32 `json:"blocked_by"`
	Session
}

// SnapshotState is something that needs old versions of rows.
type SnapshotState struct {
	// Kind is "session", "standby", "replication slot" or "prepared transaction".
	Kind string `json:"kind"`
	// Transactions that have begun since.
	Transactions int64 `json:"transactions"`
	Session
}

// TableState is a table of the schema.
type TableState struct {
	Table    string     `json:"table"`
	Live     int64      `json:"live_rows"`
	Dead     int64      `json:"dead_rows"`
	Vacuumed *time.Time `json:"vacuumed"`
	Bytes    int64      `json:"bytes"`
}

// LaneState is a lane of a subscription that does not go on.
type LaneState struct {
	Subscription string `json:"subscription"`
	Lane         int    `json:"lane"`
	At           int64  `json:"at"`
	// Owner is the id of a member, Label what it says of itself.
	Owner uuid.UUID `json:"owner"`
	Label string    `json:"label"`
	// Ended tells that the owner's membership has ended.
	Ended bool `json:"ended"`
	// Since is how many seconds ago that was, or the first failure.
	Since float64 `json:"since"`
	// Error is what the owner could not do last.
	Error string `json:"error,omitempty"`
}

// FilterState is a filter that a store has read with although no index serves it.
type FilterState struct {
	// Filter is "type" or "metadata.KEY": what to call the index that it needs.
	Filter string `json:"filter"`
	// Reads counts the queries since the store was made.
	Reads int64 `json:"reads"`
}

// QueueState is the appends of this process that wait for their turn.
type QueueState struct {
	Appends int `json:"appends"`
	Bytes   int `json:"bytes"`
	// Flushes are under way, Stalled of them for so long that others overtake them.
	Flushes int `json:"flushes"`
	Stalled int `json:"stalled"`
}

// ListenerState is the connection on which a process hears of the appends of others.
type ListenerState struct {
	Connected bool `json:"connected"`
	// Since is when the connection was made, nil if there is none.
	Since *time.Time `json:"since"`
	// Heard is when something was heard last, nil if nothing was.
	Heard *time.Time `json:"heard"`
	// Error is why there is no connection, empty if there is one or it is being
	// made for the first time.
	Error string `json:"error"`
}
