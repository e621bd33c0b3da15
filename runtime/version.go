package runtime

// SupportsGen1 is referred to by every generated file, so that a file and a
// release of this module that do not fit each other do not compile.
//
// The rule: when generated code needs something that an older release does not
// have, the next number is added here and emitted from then on. All numbers stay
// as long as files that refer to them work; deleting one is how support for them
// ends.
const SupportsGen1 = true

// EventChangedRunGoGenerate is *T under a name that the compiler prints. Generated
// files convert a nil pointer to every event to it, T being the fields that the
// event had: if it has others by now, the build fails with these words.
type EventChangedRunGoGenerate[T any] = *T
