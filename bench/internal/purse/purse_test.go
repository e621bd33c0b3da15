package purse_test

import (
	"encoding/json"
	"testing"

	"github.com/esgen/esgen/bench/internal/purse"
)

func TestSampleHasItsSize(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(purse.Sample)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != purse.Bytes {
		t.Errorf("%d bytes, want %d: %s", len(data), purse.Bytes, data)
	}
}
