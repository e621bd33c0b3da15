// Package scan reads Go source and finds what esgen generates for.
//
// It parses the package itself, which therefore need not compile: before the
// first run, after an event has changed, or while another package of the module
// is broken, the types of all events are still known. Only the imports are taken
// as export data; those that have none are read from source.
//
// All problems of a package are found in one run.
package scan
