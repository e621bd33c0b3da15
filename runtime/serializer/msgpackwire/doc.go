// Package msgpackwire is what generated msgpack codecs are made of: a [Writer]
// and a [Reader] of single values, in the wire format of serializer.Msgpack.
// People use that; this package is for generated code and has no other promise
// than that code which esgen has written compiles and keeps its bytes.
//
// A Writer and a Reader remember their first failure, so that calls need no
// check: what follows a failure has no effect and costs next to nothing. They do
// not say which field failed. Whoever finds out that something did asks
// serializer.Msgpack without generated code, which does.
package msgpackwire
