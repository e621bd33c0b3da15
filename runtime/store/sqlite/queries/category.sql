-- The number of a category.
-- ?1 name
SELECT id FROM categories WHERE name = ?1;
