package sqlite

import (
	_ "embed"
	"strings"
)

// single is a file's statement without the end of its line: the driver takes
// whatever follows a semicolon for a second statement, and then prepares both
// anew each time.
func single(statement string) string { return strings.TrimSpace(statement) }

var (
	//go:embed queries/head.sql
	headSQL string
	//go:embed queries/last_position.sql
	lastPositionSQL string
	//go:embed queries/stream.sql
	streamSQL string
	//go:embed queries/stream_info.sql
	streamInfoSQL string
	//go:embed queries/category.sql
	categorySQL string
	//go:embed queries/insert_category.sql
	insertCategorySQL string
	//go:embed queries/insert_stream.sql
	insertStreamSQL string
	//go:embed queries/insert_event.sql
	insertEventSQL string
	//go:embed queries/event_place.sql
	eventPlaceSQL string
	//go:embed queries/any_event.sql
	anyEventSQL string

	//go:embed queries/link_place.sql
	linkPlaceSQL string
	//go:embed queries/insert_link.sql
	insertLinkSQL string
	//go:embed queries/delete_stream.sql
	deleteStreamSQL string
	//go:embed queries/truncate_stream.sql
	truncateStreamSQL string
	//go:embed queries/begin_removal.sql
	beginRemovalSQL string
	//go:embed queries/end_removal.sql
	endRemovalSQL string
	//go:embed queries/keep_versions.sql
	keepVersionsSQL string
	//go:embed queries/remove_links_to.sql
	removeLinksToSQL string
	//go:embed queries/remove_links.sql
	removeLinksSQL string
	//go:embed queries/remove_events.sql
	removeEventsSQL string
	//go:embed queries/remove_stream.sql
	removeStreamSQL string

	//go:embed queries/list_by_name_forward.sql
	listByNameForwardSQL string
	//go:embed queries/list_by_name_backward.sql
	listByNameBackwardSQL string
	//go:embed queries/list_by_creation_forward.sql
	listByCreationForwardSQL string
	//go:embed queries/list_by_creation_backward.sql
	listByCreationBackwardSQL string
	//go:embed queries/list_by_version_forward.sql
	listByVersionForwardSQL string
	//go:embed queries/list_by_version_backward.sql
	listByVersionBackwardSQL string

	//go:embed queries/read_all_forward.sql
	readAllForwardSQL string
	//go:embed queries/read_all_backward.sql
	readAllBackwardSQL string
	//go:embed queries/read_stream_forward.sql
	readStreamForwardSQL string
	//go:embed queries/read_stream_backward.sql
	readStreamBackwardSQL string
	//go:embed queries/read_category_forward.sql
	readCategoryForwardSQL string
	//go:embed queries/read_category_backward.sql
	readCategoryBackwardSQL string
	//go:embed queries/read_categories_forward.sql
	readCategoriesForwardSQL string
	//go:embed queries/read_categories_backward.sql
	readCategoriesBackwardSQL string

	//go:embed queries/checkpoint.sql
	checkpointSQL string
	//go:embed queries/insert_checkpoint.sql
	insertCheckpointSQL string
	//go:embed queries/save_snapshot.sql
	saveSnapshotSQL string
	//go:embed queries/load_snapshot.sql
	loadSnapshotSQL string
	//go:embed queries/delete_snapshot.sql
	deleteSnapshotSQL string

	//go:embed queries/migration.sql
	migrationSQL string
	//go:embed queries/set_migration.sql
	setMigrationSQL string
	//go:embed queries/table_exists.sql
	tableExistsSQL string
	//go:embed queries/tables.sql
	tablesSQL string
)
