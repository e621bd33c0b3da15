package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

// What event stores in use do wrong: each weakness has a test that is named for the
// rule against it, and runs the case of the contract with a store that has it.

func TestAppendHasNoSizeCliff(t *testing.T) {
	t.Parallel()
	defect{"stores a page of a large append", "append takes 5000", func(b *broken) {
		b.given(func(batches []store.Batch) {
			batches[0].Events = batches[0].Events[:min(1000, len(batches[0].Events))]
		})
	}}.isCaught(t)
}

func TestAppendOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	defect{"takes an append of nothing", "invalid appends", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			if len(batches) == 1 && len(batches[0].Events) == 0 {
				return []store.Appended{{Stream: batches[0].Stream}}, nil
			}
			return b.Store.Append(ctx, batches...)
		}
	}}.isCaught(t)
}

func TestAppendAnswersWhereEventsAreStored(t *testing.T) {
	t.Parallel()
	defect{"answers only that it has stored", "append answers the versions", func(b *broken) {
		b.answered(func(a []store.Appended) { a[0] = store.Appended{Stream: a[0].Stream} })
	}}.isCaught(t)
}

func TestConflictTellsTheActualVersion(t *testing.T) {
	t.Parallel()
	defect{"says conflict and no more", "case 09", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if errors.Is(err, store.ErrConflict) {
				err = store.ErrConflict
			}
			return appended, err
		}
	}}.isCaught(t)
}

func TestStreamExistsNeverConflictsOnAStreamThatExists(t *testing.T) {
	t.Parallel()
	defect{"takes stream exists for the version that it has just read", "concurrent appends to any version", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			batches = slices.Clone(batches)
			at := func() store.Version {
				version, _ := versionOf(ctx, b.Store, batches[0].Stream)
				return version
			}
			if before := at(); batches[0].Expected == store.StreamExists {
				batches[0].Expected = before
				spin(func() bool { return at() != before })
			}
			return b.Store.Append(ctx, batches...)
		}
	}}.isCaught(t)
}

func TestRetryOfAnAppendIsASuccess(t *testing.T) {
	t.Parallel()
	defect{"takes a retry for an error", "a retry of one event", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if err == nil && appended[0].Duplicate {
				return nil, &store.DuplicateEventError{ID: batches[0].Events[0].ID, Stream: batches[0].Stream}
			}
			return appended, err
		}
	}}.isCaught(t)
}

func TestAppendNeverLandsInADeletedStream(t *testing.T) {
	t.Parallel()
	defect{"looks whether a stream is deleted before it appends", "no append lands", looksFirst}.isCaught(t)
}

func TestAppendThatRacesAHardDeleteLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	defect{"stores events one by one", "appends that race hard deletes", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) (appended []store.Appended, err error) {
			all := batches[0]
			for i := range all.Events {
				if appended, err = b.Store.Append(ctx, batch(all.Stream, all.Expected, all.Events[i:i+1]...)); err != nil {
					return nil, err
				}
				for range 20 {
					runtime.Gosched()
				}
			}
			return appended, nil
		}
	}}.isCaught(t)
}

func TestLinkOfPartlyUnknownEventsLinksNone(t *testing.T) {
	t.Parallel()
	defect{"links what it knows", "links of unknown", partlyUnknown}.isCaught(t)
}

func TestOfLinksThatExpectOneVersionOneWins(t *testing.T) {
	t.Parallel()
	defect{"compares versions before it links", "of links that expect the same version", comparesFirst}.isCaught(t)
}

func TestLinkThatCreatesAStreamInARaceSucceeds(t *testing.T) {
	t.Parallel()
	defect{"fails when another creates the stream", "links and appends that create", createsOnly}.isCaught(t)
}

func TestReadsFilterByWhatEventsAre(t *testing.T) {
	t.Parallel()
	defect{"knows no filters", "every filter selects", func(b *broken) {
		b.asked(func(q *store.Query) {
			*q = store.Query{Stream: q.Stream, Categories: q.Categories, Backward: q.Backward}
		})
	}}.isCaught(t)
}

func TestSoftlyDeletedStreamCanBeUndeleted(t *testing.T) {
	t.Parallel()
	defect{"knows no way back", "undelete makes", func(b *broken) {
		b.restore = func(context.Context, string) error { return nil }
	}}.isCaught(t)
}

func TestSoftlyDeletedStreamCanBeDeletedHard(t *testing.T) {
	t.Parallel()
	defect{"never deletes hard what is softly deleted", "a softly deleted stream can be deleted hard", neverHard}.isCaught(t)
}

func TestHardDeleteOfAStreamOfLinksKeepsTheEvents(t *testing.T) {
	t.Parallel()
	defect{"removes the originals of links", "a hard delete of a stream of links keeps", destroysOriginals}.isCaught(t)
}

func TestHardDeleteRemovesTheSnapshot(t *testing.T) {
	t.Parallel()
	defect{"leaves snapshots behind", "a hard delete removes the snapshot", leavesSnapshots}.isCaught(t)
}

func TestHardDeleteNeverFreesAPosition(t *testing.T) {
	t.Parallel()
	defect{"counts positions by what is left", "positions of removed events", countsWhatIsLeft}.isCaught(t)
}

func TestReadsNeverStopAtHoles(t *testing.T) {
	t.Parallel()
	defect{"stops at holes", "reads pass holes", func(b *broken) { b.stopsAt(1) }}.isCaught(t)
}

func TestStreamsCanBeTruncated(t *testing.T) {
	t.Parallel()
	defect{"does nothing", "a hard truncation", func(b *broken) {
		b.truncate = func(context.Context, string, store.Version, store.Removal) error { return nil }
	}}.isCaught(t)
}

func TestSearchOfStreamsTakesEveryCharacterAsItself(t *testing.T) {
	t.Parallel()
	defect{"takes wildcards for wildcards", "a list of streams is what", func(b *broken) {
		b.listedAs(func(q *store.StreamQuery) { q.Prefix = strings.TrimSuffix(q.Prefix, "%") })
	}}.isCaught(t)
}

func TestPagesOfStreamsAreKeptApartByTheStreamsThemselves(t *testing.T) {
	t.Parallel()
	defect{"counts pages by how many streams came before", "a list of streams goes on while streams come", func(b *broken) {
		b.pagedBy(func(q store.StreamQuery, n int, _ string) (store.StreamQuery, int) { return q, n })
	}}.isCaught(t)
}

func TestOlderSnapshotNeverReplacesANewerOne(t *testing.T) {
	t.Parallel()
	defect{"lets the last writer win", "a snapshot of a higher version", func(b *broken) {
		b.save = func(ctx context.Context, s store.Snapshot) error {
			if err := b.DeleteSnapshot(ctx, s.Stream); err != nil {
				return err
			}
			return b.Store.SaveSnapshot(ctx, s)
		}
	}}.isCaught(t)
}
