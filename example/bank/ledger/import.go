package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// Config is how a file is imported. The zero value works.
type Config struct {
	// Workers is how many operations are under way at once. Those on one
	// account keep their order, whatever the number.
	//
	// Defaults to 1.
	Workers int
	// Progress is called when lines are done, with the bytes of the file read
	// so far; by one goroutine at a time.
	//
	// Defaults to none.
	Progress func(bytes int64)
}

// Import carries out the operations of a file on the accounts in db and tells
// what became of them. It stops at the first failure that is no refusal, such as
// a database that went away, and when ctx ends; the summary then tells how far it
// came. Importing the file again goes on from there.
func Import(ctx context.Context, db store.Streams, file io.Reader, c Config) (Summary, error) {
	journal := StreamOf(db, "rejected")
	known, _, err := journal.Load(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("read what was rejected before: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	i := &importer{
		bank: bank.New(db), journal: journal, known: known.Rejected, progress: c.Progress,
		stop: stop, slots: make(chan struct{}, max(c.Workers, 1)),
		last: make(map[string]chan struct{}), references: make(map[string]int),
	}
	err = i.read(ctx, file)
	i.running.Wait()
	slices.SortFunc(i.summary.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Line, b.Line) })
	// The cause is the failure that stopped the others, or the caller's.
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return i.summary, err
}

// importer is one run of Import.
type importer struct {
	bank    bank.Bank
	journal Stream
	known   map[string]LineRejected
	stop    context.CancelCauseFunc
	running sync.WaitGroup
	// slots bound the operations that are under way.
	slots chan struct{}
	// last is, by account, closed when its latest operation is done. The next
	// one waits for it. Operations begin in the order of the file, so none waits
	// for one that has not begun.
	last map[string]chan struct{}
	// references are the lines that they were first used on.
	references map[string]int

	mu       sync.Mutex
	progress func(int64)
	summary  Summary
	// done is the byte of the file up to which lines are done.
	done int64
}

func (i *importer) read(ctx context.Context, file io.Reader) error {
	for t, err := range lines(file) {
		if err != nil {
			return err
		}
		line, err := i.parse(t)
		if bad, ok := errors.AsType[*LineError](err); ok {
			i.tell(t, func(s *Summary) { s.Rejected = append(s.Rejected, Rejection{t.number, bad.Kind, bad.Reason}) })
			continue
		}
		select {
		case i.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		i.begin(ctx, t, line)
	}
	return nil
}

func (i *importer) parse(t text) (Line, error) {
	if t.tooLong {
		return Line{}, &LineError{"line too long", fmt.Sprintf("the line is longer than %d bytes", maxLine)}
	}
	line, err := ParseLine(t.number, t.line)
	if err != nil {
		return Line{}, err
	}
	if first, used := i.references[line.Reference]; used {
		return Line{}, &LineError{"reference used twice", fmt.Sprintf("reference %s was used on line %d", line.Reference, first)}
	}
	i.references[line.Reference] = line.Number
	return line, nil
}

// begin carries line out when the operations before it on the same accounts are
// done.
func (i *importer) begin(ctx context.Context, t text, line Line) {
	done := make(chan struct{})
	var earlier []chan struct{}
	for _, account := range [...]string{line.Account, line.Counterparty} {
		if last, ok := i.last[account]; ok && account != "" && last != done {
			earlier = append(earlier, last)
		}
		i.last[account] = done
	}
	i.running.Go(func() {
		defer func() { <-i.slots }()
		defer close(done)
		for _, last := range earlier {
			<-last
		}
		// Nothing may follow a failure on the same account.
		if ctx.Err() != nil {
			return
		}
		if err := i.carryOut(ctx, t, line); err != nil {
			i.stop(fmt.Errorf("line %d: %w", line.Number, err))
		}
	})
}

// carryOut returns an error only if it is not known what became of the line.
func (i *importer) carryOut(ctx context.Context, t text, line Line) error {
	if before, ok := i.known[line.Fingerprint]; ok {
		i.tell(t, func(s *Summary) { s.Rejected = append(s.Rejected, Rejection{line.Number, before.Kind, before.Reason}) })
		return nil
	}
	appended, err := i.operate(ctx, line)
	if kind := bank.Refusal(err); kind != "" {
		return i.refuse(ctx, t, line, kind, err)
	}
	if err != nil {
		return err
	}
	i.tell(t, func(s *Summary) {
		if appended.Duplicate {
			s.AlreadyImported++
		} else {
			s.Accepted++
		}
	})
	return nil
}

func (i *importer) operate(ctx context.Context, line Line) (store.Appended, error) {
	settings := []es.Setting{
		es.Key("ledger " + line.Reference),
		es.At(line.Time),
		es.Metadata{bank.Text: line.Text, "reference": line.Reference},
	}
	switch line.Operation {
	case "open":
		return i.bank.Open(ctx, line.Account, line.Owner, line.Currency, settings...)
	case "deposit":
		return i.bank.Deposit(ctx, line.Account, line.Amount, line.Currency, settings...)
	case "withdraw":
		return i.bank.Withdraw(ctx, line.Account, line.Amount, line.Currency, settings...)
	case "transfer":
		return i.bank.Transfer(ctx, bank.Transfer{
			ID: line.Reference, From: line.Account, To: line.Counterparty, Amount: line.Amount, Currency: line.Currency,
		}, settings[1:]...)
	default:
		return i.bank.Close(ctx, line.Account, settings...)
	}
}

// refuse records the refusal before the next operation on the same account is
// carried out: whenever the import is cut off, the next one decides as this one.
func (i *importer) refuse(ctx context.Context, t text, line Line, kind string, reason error) error {
	_, err := i.journal.With(es.Key("rejected "+line.Fingerprint)).Append(ctx, store.Any, LineRejected{
		Line: line.Fingerprint, Reference: line.Reference, Kind: kind, Reason: reason.Error(),
	})
	if err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	i.tell(t, func(s *Summary) { s.Rejected = append(s.Rejected, Rejection{line.Number, kind, reason.Error()}) })
	return nil
}

// tell changes the summary by one line.
func (i *importer) tell(t text, change func(*Summary)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.summary.Lines++
	change(&i.summary)
	i.done = max(i.done, t.end)
	if i.progress != nil {
		i.progress(i.done)
	}
}
