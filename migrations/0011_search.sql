-- The search for customers ignores accents: `muller` finds Müller, in any Unicode form.
CREATE EXTENSION IF NOT EXISTS unaccent;
