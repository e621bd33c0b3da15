package postgres

import (
	"context"
	"embed"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statementFiles name the default schema; statementsOf puts the store's in.
//
//go:embed sql/*.sql
var statementFiles embed.FS

type statements struct {
	append, appendOne, appendWaiting, findEvents, transaction  string
	readStream, readStreamBackward, readAll, readAllBackward   string
	readLinks, readLinksBackward, readIndex, readIndexBackward string
	readNames, readLarge, readRange, readLast, readIndexes     string
	lastPosition                                               string
	link, linked                                               string
	deleteStream, undeleteStream, truncateStream, remove       string
	streamInfo, streams, streamKey                             string
	subscriptionOpen, subscriptionFind, subscriptionList       string
	subscriptionPause, subscriptionReset, subscriptionRename   string
	subscriptionDelete, memberRenew, memberLeave               string
	laneRelease, laneAdvance, laneMove, lanePlace, laneReport  string
	parkedInsert, parkedDelete, parkedList, parkedRetry        string
	parkedMark                                                 string
	snapshotSave, snapshotLoad, snapshotDelete                 string
	migrated                                                   string
}

func statementsOf(schema string) statements {
	text := func(name string) string {
		file, err := statementFiles.ReadFile("sql/" + name + ".sql")
		if err != nil {
			// Not reached: the names below are those of embedded files.
			return "-- no statement " + name
		}
		var lines []string
		for line := range strings.Lines(string(file)) {
			if !strings.HasPrefix(line, "--") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return strings.ReplaceAll(strings.TrimSuffix(strings.Join(lines, " "), ";"), DefaultSchema+".", schema+".")
	}
	return statements{
		append:             text("append"),
		appendOne:          text("append_one"),
		appendWaiting:      text("append_waiting"),
		findEvents:         text("find_events"),
		transaction:        text("transaction"),
		readStream:         text("read_stream"),
		readStreamBackward: text("read_stream_backward"),
		readAll:            text("read_all"),
		readAllBackward:    text("read_all_backward"),
		readLinks:          text("read_links"),
		readLinksBackward:  text("read_links_backward"),
		readIndex:          text("read_index"),
		readIndexBackward:  text("read_index_backward"),
		readNames:          text("read_names"),
		readLarge:          text("read_large"),
		readRange:          text("read_range"),
		readLast:           text("read_last"),
		lastPosition:       text("last_position"),
		readIndexes:        text("read_indexes"),
		link:               text("link"),
		linked:             text("linked"),
		deleteStream:       text("delete_stream"),
		undeleteStream:     text("undelete_stream"),
		truncateStream:     text("truncate_stream"),
		remove:             text("remove"),
		streamInfo:         text("stream_info"),
		streams:            text("streams"),
		streamKey:          text("stream_key"),
		subscriptionOpen:   text("subscription_open"),
		subscriptionFind:   text("subscription_find"),
		subscriptionList:   text("subscription_list"),
		subscriptionPause:  text("subscription_pause"),
		subscriptionReset:  text("subscription_reset"),
		subscriptionRename: text("subscription_rename"),
		subscriptionDelete: text("subscription_delete"),
		memberRenew:        text("member_renew"),
		memberLeave:        text("member_leave"),
		laneRelease:        text("lane_release"),
		laneAdvance:        text("lane_advance"),
		laneMove:           text("lane_move"),
		lanePlace:          text("lane_place"),
		laneReport:         text("lane_report"),
		parkedInsert:       text("parked_insert"),
		parkedDelete:       text("parked_delete"),
		parkedList:         text("parked_list"),
		parkedRetry:        text("parked_retry"),
		parkedMark:         text("parked_mark"),
		snapshotSave:       text("snapshot_save"),
		snapshotLoad:       text("snapshot_load"),
		snapshotDelete:     text("snapshot_delete"),
		migrated:           text("migrated"),
	}
}

// runBinary runs a statement that returns one row with arguments in PostgreSQL's
// binary form, in one round trip once it is prepared, and scans the row into into.
// The connection must not be in the simple protocol, which knows no such form.
func runBinary(ctx context.Context, conn *pgx.Conn, sql string, oids []uint32, values [][]byte, into []any) error {
	var result *pgconn.ResultReader
	prepares := conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
	if prepares {
		sd, err := conn.Prepare(ctx, sql, sql)
		if err != nil {
			return err
		}
		result = conn.PgConn().ExecStatement(ctx, sd, values, binaryFormat, binaryFormat)
	} else {
		result = conn.PgConn().ExecParams(ctx, sql, values, oids, binaryFormat, binaryFormat)
	}
	var scanned error
	found := false
	for result.NextRow() {
		found = true
		for i, raw := range result.Values() {
			f := result.FieldDescriptions()[i]
			if err := conn.TypeMap().Scan(f.DataTypeOID, f.Format, raw, into[i]); err != nil {
				scanned = err
			}
		}
	}
	_, err := result.Close()
	if prepares && transient(err) && !conn.IsClosed() {
		// The statement may be the cause: it was prepared before a migration, or the
		// session is another than it seems.
		_ = conn.Deallocate(ctx, sql)
	}
	switch {
	case err != nil:
		return err
	case !found:
		return errNoRow
	}
	return scanned
}

var (
	binaryFormat = []int16{pgx.BinaryFormatCode}
	errNoRow     = errors.New("the statement returned no row, which it always does")
)
