-- The iat of the token that the live one replaced: another token of that generation is reuse. An entry from before has none.
ALTER TABLE white_list ADD COLUMN parent_iat INTEGER;
