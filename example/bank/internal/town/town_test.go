package town_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/esgen/esgen/example/bank/internal/town"
)

func TestTheCommittedLedgerIsWhatIsWritten(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := town.Write(&b, town.Config{}); err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../ledger.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), committed) {
		t.Errorf("ledger.csv is not what is written now: %d bytes instead of %d; run go generate in example/bank", len(committed), b.Len())
	}
	if lines := bytes.Count(committed, []byte("\n")); lines != 10_001 {
		t.Errorf("ledger.csv has %d lines, want a header and 10 000", lines)
	}
}

func TestAnotherSeedIsAnotherTown(t *testing.T) {
	t.Parallel()
	var one, two bytes.Buffer
	if err := town.Write(&one, town.Config{Seed: 2, Lines: 500, People: 10}); err != nil {
		t.Fatal(err)
	}
	if err := town.Write(&two, town.Config{Seed: 3, Lines: 500, People: 10}); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("seeds 2 and 3 give the same ledger")
	}
}
