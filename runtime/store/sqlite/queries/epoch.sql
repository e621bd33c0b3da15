-- What this history of events is called.
SELECT epoch FROM store;
