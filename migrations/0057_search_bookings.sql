-- One search for lists of customers and of bookings.

CREATE FUNCTION has_words(texts text, phones text, words text[], digits text[], number text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(words, digits) AS searched (word, digit)
        WHERE position(lower(unaccent(normalize(word, NFC))) IN lower(unaccent(normalize(texts, NFC)))) = 0
          AND NOT (digit <> ''
                   AND (position(digit IN regexp_replace(phones, '[^0-9;]', '', 'g')) > 0
                        OR position(number IN regexp_replace(phones, '[^0-9;]', '', 'g')) > 0)))
$$;
COMMENT ON FUNCTION has_words(text, text, text[], text[], text) IS
    'Whether each word is in the texts, without case and accents, or its digits, or those of all such words as one number, are in '
    'one of the phone numbers, which a semicolon separates.';
