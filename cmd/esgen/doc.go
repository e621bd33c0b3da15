/*
Esgen generates typed event streams from plain structs.

Usage:

	esgen [flags] [packages]
	esgen check [flags] [packages]
	esgen docs [-o DIR] [-title TEXT] [-diff] [-v] [packages]
	esgen new DIR

It reads the packages, by default the one in the current directory, and writes
one file into each that has events: its streams, handlers and the registry of
stored names, in bank.es.go for package bank. A file that would not change is
not touched. Packages are directories or patterns as the go command takes them.

	//go:generate go tool esgen

# Directives

They are comments without a blank after the slashes. An event is an
exported struct type:

	// AccountOpened starts an account. It is always the first event.
	//
	//esgen:event name=bank.account_opened
	type AccountOpened struct {
		Owner string `json:"owner"`
	}

	//esgen:event name=NAME [revision=N] [alias=NAME,…] [family=WORD,…]

NAME is what is stored with each event of the type: at most 255 bytes of letters,
digits and . _ - / : +. It stays when the Go type is renamed. N counts the shapes
of a name that cannot be read as one another, from 1; two types may share a name
at different revisions. Aliases are further names under which it was stored, at
any revision. An event of another package joins as a type Closed legal.Closed.

	//esgen:upcast name=NAME revision=N [family=WORD,…]

On a function func(V) T or func(V) (T, error): V is the shape that was stored under
NAME at revision N, T the shape of the next revision, an event, or the interface
Event if it became one of several or, being nil, none any more. The functions are
called one after the other, up to an event, by everything that reads.

	//esgen:retired name=NAME [revision=N] [alias=NAME,…] [family=WORD,…] [reason=TEXT]

On a struct type, in place of //esgen:event: it is read, and Append refuses it.
About the package: what is stored under NAME is passed over. Either way the name is
never given to another event; the type that reads it may become an //esgen:event again. Quote an argument with blanks as a whole: "reason=not sold".

	//esgen:family [id=TYPE] [name=WORD]

About the package, and needed only to change a default: events are stored in
streams named WORD-id, WORD being the package's name, and ids are strings. TYPE
is string, uuid.UUID, or a type of string or integer kind or with MarshalText on
the value and UnmarshalText on the pointer. It is a type of this package, of one
that it imports, or is written with its path: example.com/ids.OrderID.

A package may have several. Their generated names begin with WORD, as AccountStream
does, except those of a family with the package's name; the other directives say
family=WORD, and without it mean the family with the package's name.

	//esgen:state [family=WORD,…] [snapshots=N [revision=N]]

The type that events are folded into. It needs one method for each event, such
as func (a *Account) ApplyAccountOpened(AccountOpened), and gives the streams
Load and Execute. With snapshots=N they begin with a stored state and store another
one after N events; of another shape or revision of the state it is passed over.

	//esgen:union
	//esgen:member name=NAME

On an interface, and on the structs that implement it: fields may have the
interface's type. It is stored as an object with one property, NAME, or as null.

	//esgen:package [serializers=NAME] [drift=test]

NAME is a variable of the package, of type []serializer.Serializer: formats to
add to those of the runtime, or to use instead of the ones with the same name.

	//esgen:package msgpack=generated

The format msgpack is written and read field by field, by functions in a file of
their own, bank.es_codec.go. The bytes are the same, three to four times faster than
by reflection; the file is long. Fields of types that write themselves, and of other
uncommon ones, are left to reflection.

Directives in test files, and in files that only some builds contain, are
problems: what is stored has to be known to every program.

# Fields

What can be stored: strings, numbers, booleans, time.Time, time.Duration,
uuid.UUID, []byte, json.RawMessage, named kinds of these, pointers, slices,
arrays, maps with string, integer or text keys, structs, generic types with
arguments of these, unions, and types that marshal themselves to JSON or text.
Names and omissions follow the json tag.

What cannot: channels, functions, other interfaces, complex numbers, addresses.
Fields that would be lost without a word are problems too:
unexported ones without json:"-", two with one stored name, structs without
exported fields, and embedded types whose marshaler would speak for the whole.

# Docs and new

Esgen docs writes a catalogue of the packages' events into DIR, docs/events by
default: index.html, a page that needs nothing else; README.md and a Markdown file
for each family; and a JSON Schema for each revision, in schema. It shows the
comments, the fields, an example, the upcasters, and what makes, handles and
subscribes to the events in the whole module. The example of an event is kept in
testdata/events/NAME@REVISION.json beside its package, or else made up.

Esgen new writes a package into the new directory DIR of a module: events, state,
decisions, a projection and their tests, and the generated file. It overwrites
nothing.

# Flags

	-diff  print what would change and write nothing; exit 1 if anything would
	-v     say what was written and what was not, and print type errors outside
	       of events, which do not stop esgen: most of them are names that the
	       generated file declares
	-h     print this text

# Files

The file is PACKAGE.es.go, without underscores, and for codecs PACKAGE.es_codec.go.
Each is replaced at once or not at all. A file that esgen wrote earlier and that is no
longer wanted, because the package has lost its directives or its name, is removed and
named in the output. A file of that name that esgen did not write is left alone and is
a problem.

What a run has seen is kept as digests in the user's cache directory, so that one
in which nothing has changed takes no time: no file of the package or of those that
it imports, no requirement, no setting of the go command. Without that directory,
with -v, with C, and with -overlay or -modfile in GOFLAGS, every run is a whole one.

# Check

	esgen check [-against git:REF] [-format text|json|github] [packages]
	esgen check -update [-accept RULE:WHERE … -reason TEXT] [packages]
	esgen check -db DSN [-schema NAME] [packages]

Holds what the events are stored as against esgen.lock.json beside the package, or
against that of a commit, and tells every change that makes stored events unreadable
or is dangerous during a deploy (a warning), as file:line:col: RULE:WHERE text. With
a pattern such as ./... that includes packages that are gone, if their lock is there or
in the commit.

With -update it writes the lock, a test that decodes a stored sample of every
revision, and the samples that are missing in testdata/events; commit all three. A
change that breaks a rule is not written, unless -accept names it as it was printed;
that and the reason stay in the lock. It is accepted once: the next change of the same
field is another one.

With -db it builds a program in a temporary directory that reads a database and tells
how many events of which type, revision and format there are, and which of them this
package cannot read. DSN is postgres://… or sqlite:FILE; NAME is the schema of a
PostgreSQL store, by default esgen.

# Problems and exit codes

All problems are printed to standard error as file:line:col: message, and say
what to write instead. A package with problems keeps its file as it is; others
are generated.

	0  everything is as it should be
	1  problems, differences with -diff, or broken rules with check
	2  wrong usage, or a file or the go command could not be used
*/
package main
