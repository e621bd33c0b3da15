//go:build generate

// Package esgen holds the go:generate lines of the repository itself. Packages
// that are generated for users to read, as example/bank, hold their own. The
// tools are listed in go.mod, and only there.
package esgen

//go:generate go tool esgen ./runtime/internal/bank ./runtime/internal/zoo
