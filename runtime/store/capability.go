package store

import "strings"

// Capabilities are promises that a store may or may not keep. A store declares
// them, package storetest checks what is declared.
type Capabilities uint32

const (
	// DenseOrder promises positions 1, 2, 3, … without a hole but those that hard
	// deletes leave.
	DenseOrder Capabilities = 1 << iota
	// SeveralStreams promises that one Append takes batches of several streams.
	SeveralStreams
	// Durable promises that what Append has acknowledged survives the process
	// and, with the store's default settings, a power loss.
	Durable
	// SeveralProcesses promises that processes may open the store at once.
	SeveralProcesses
	// KeepsSnapshots promises that the store implements [Snapshots].
	KeepsSnapshots
	// KeepsCatalog promises that the store implements [Catalog].
	KeepsCatalog
	// Links promises that the store implements [Linker].
	Links
	// Deletes promises that the store implements [Deleter], softly; hard if its
	// configuration says so.
	Deletes
	// Transacts promises that the store implements [Transactor].
	Transacts
)

var capabilityNames = [...]string{
	"dense order", "several streams", "durable", "several processes", "snapshots", "catalog", "links", "deletes",
	"transactions",
}

// Has reports whether all of want are declared.
func (c Capabilities) Has(want Capabilities) bool { return c&want == want }

// String lists the names: "dense order, durable".
func (c Capabilities) String() string {
	var names []string
	for i, name := range capabilityNames {
		if c.Has(1 << i) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
