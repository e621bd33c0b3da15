package postgres

// SchemaOf is the schema in which s keeps its data.
func SchemaOf(s *Store) string { return s.config.Schema }
