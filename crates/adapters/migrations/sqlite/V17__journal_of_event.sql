-- For lists of the entries of one name.
CREATE INDEX journal_of_event ON journal (event, at, number);
