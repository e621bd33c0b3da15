package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// maxAppendBytes bounds data and metadata of one append together. PostgreSQL
// takes an array of less than 1 GiB, and text modes double the size of bytes.
const maxAppendBytes = 256 << 20

func checkSize(op string, batches []store.Batch) error {
	size := 0
	for _, b := range batches {
		for _, e := range b.Events {
			size += len(e.Data) + len(e.Metadata)
		}
	}
	if size <= maxAppendBytes {
		return nil
	}
	return &store.InvalidError{What: op, Reason: fmt.Sprintf(
		"%d bytes of data and metadata in one append, at most %d are stored; append in several calls", size, maxAppendBytes)}
}

// encodeOne returns the arguments of append_one.sql.
func encodeOne(b store.Batch) []any {
	e := b.Events[0]
	data, json := encodeData(e.Format, e.Data)
	return []any{
		b.Stream, store.Category(b.Stream), int64(b.Expected),
		pgtype.UUID{Bytes: e.ID, Valid: true},
		e.Type, int32(e.Revision), string(e.Format), data, json, encodeText(e.Metadata),
		encodeUUID(e.Correlation), encodeUUID(e.Causation), e.Time,
	}
}

// streamOrder returns the batches' indexes in the order of their streams' names:
// the order in which appends lock them.
func streamOrder(batches []store.Batch) []int {
	order := make([]int, len(batches))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(batches[i].Stream, batches[j].Stream) })
	return order
}

// encodeAll returns the arguments of append.sql. The streams stand in order, the
// events in that of the batches, which is that of their positions.
func encodeAll(batches []store.Batch, order []int) []any {
	var (
		names      = make([]string, len(order))
		categories = make([]string, len(order))
		expected   = make([]int64, len(order))
		counts     = make([]int32, len(order))
		created    = make([]time.Time, len(order))
		place      = make([]int32, len(order)) // batch -> stream, from 1
		n          = 0
	)
	for at, i := range order {
		b := batches[i]
		names[at], categories[at] = b.Stream, store.Category(b.Stream)
		expected[at], counts[at] = int64(b.Expected), int32(len(b.Events))
		created[at] = b.Events[0].Time
		place[i] = int32(at + 1)
		n += len(b.Events)
	}
	var (
		streams      = make([]int32, 0, n)
		offsets      = make([]int32, 0, n)
		ids          = make([]pgtype.UUID, 0, n)
		types        = make([]string, 0, n)
		revisions    = make([]int32, 0, n)
		formats      = make([]string, 0, n)
		data         = make([][]byte, 0, n)
		json         = make([]pgtype.Text, 0, n)
		metadata     = make([]pgtype.Text, 0, n)
		correlations = make([]pgtype.UUID, 0, n)
		causations   = make([]pgtype.UUID, 0, n)
		times        = make([]time.Time, 0, n)
	)
	for i, b := range batches {
		for j, e := range b.Events {
			d, text := encodeData(e.Format, e.Data)
			streams, offsets = append(streams, place[i]), append(offsets, int32(j+1))
			ids = append(ids, pgtype.UUID{Bytes: e.ID, Valid: true})
			types, revisions = append(types, e.Type), append(revisions, int32(e.Revision))
			formats, data, json = append(formats, string(e.Format)), append(data, d), append(json, text)
			metadata = append(metadata, encodeText(e.Metadata))
			correlations, causations = append(correlations, encodeUUID(e.Correlation)), append(causations, encodeUUID(e.Causation))
			times = append(times, e.Time)
		}
	}
	return []any{
		names, categories, expected, counts, created,
		streams, offsets, ids, types, revisions, formats, data, json, metadata, correlations, causations, times,
	}
}

// encodeData returns the two columns of a payload, of which one is NULL: JSON that
// the database may understand, or bytes.
func encodeData(f store.Format, data []byte) ([]byte, pgtype.Text) {
	if f == store.JSONB {
		return nil, pgtype.Text{String: string(data), Valid: true}
	}
	if data == nil {
		data = []byte{}
	}
	return data, pgtype.Text{}
}

func encodeText(b []byte) pgtype.Text { return pgtype.Text{String: string(b), Valid: len(b) > 0} }

func encodeUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }
