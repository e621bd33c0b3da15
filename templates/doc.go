// Package templates holds the model of the packages that esgen generates for,
// and writes Go source from it.
//
// A [Package] is plain data: what was found in a user's source, without a
// reference to syntax trees or type checkers. [Render] turns it into one file.
// Each declaration of that file is emitted by the file here that bears its name.
// Logic belongs into the runtime; what is emitted only names and instantiates.
//
// The same model gives the same bytes: nothing depends on the machine, the
// time, the path, or the order of a map.
package templates
