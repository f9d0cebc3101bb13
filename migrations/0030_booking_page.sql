-- What the booking page shows beside names and prices: colour, logo, photos, categories, order, translations.

ALTER TABLE settings ADD COLUMN accent_colour char(7) CHECK (accent_colour ~ '^#[0-9a-f]{6}$');
COMMENT ON COLUMN settings.accent_colour IS
    'Colour of buttons and links on pages, as #rrggbb in lower case; null: the default. Its contrast is checked in core.';

ALTER TABLE services ADD COLUMN category text CHECK (length(category) BETWEEN 1 AND 200);
ALTER TABLE services ADD COLUMN position integer NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 10000);
COMMENT ON COLUMN services.category IS 'Heading under which the booking page lists the service; null: none.';
COMMENT ON COLUMN services.position IS 'Place in lists of services, the smallest first; equal ones by name.';

CREATE TABLE service_translations (
    service_id   uuid NOT NULL REFERENCES services ON DELETE CASCADE,
    locale       text NOT NULL CHECK (locale IN ('en', 'de')),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description  text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    category     text CHECK (length(category) BETWEEN 1 AND 200),
    PRIMARY KEY (service_id, locale)
);
COMMENT ON TABLE  service_translations IS 'A service as pages in one language show it, in the place of the columns of services.';
COMMENT ON COLUMN service_translations.service_id IS 'The service.';
COMMENT ON COLUMN service_translations.locale IS 'Language: en or de.';
COMMENT ON COLUMN service_translations.name IS 'Name in this language.';
COMMENT ON COLUMN service_translations.description IS 'Plain text in this language.';
COMMENT ON COLUMN service_translations.category IS 'Category in this language; null: that of services.';

ALTER TABLE staff ADD COLUMN about text NOT NULL DEFAULT '' CHECK (length(about) <= 300);
COMMENT ON COLUMN staff.about IS 'A sentence about this person, shown where customers choose who performs a service.';

CREATE TABLE business_logo (
    singleton   boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    media_type  text        NOT NULL CHECK (media_type IN ('image/png', 'image/svg+xml')),
    content     bytea       NOT NULL CHECK (length(content) BETWEEN 1 AND 204800),
    tag         text        NOT NULL,
    updated_at  timestamptz NOT NULL
);
COMMENT ON TABLE  business_logo IS 'The business''s logo. A table of its own: settings are read with every booking.';
COMMENT ON COLUMN business_logo.singleton IS 'Always true: the table has one row at most.';
COMMENT ON COLUMN business_logo.media_type IS 'image/png, or image/svg+xml without scripts and outside references.';
COMMENT ON COLUMN business_logo.content IS 'The picture, cleaned in core; at most 200 KiB.';
COMMENT ON COLUMN business_logo.tag IS 'Digest of the content, for addresses that caches may keep.';
COMMENT ON COLUMN business_logo.updated_at IS 'Last change.';

CREATE TABLE staff_photos (
    staff_id    uuid        PRIMARY KEY REFERENCES staff ON DELETE CASCADE,
    media_type  text        NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg')),
    content     bytea       NOT NULL CHECK (length(content) BETWEEN 1 AND 204800),
    tag         text        NOT NULL,
    updated_at  timestamptz NOT NULL
);
COMMENT ON TABLE  staff_photos IS 'Photos of staff, shown where customers choose who performs a service.';
COMMENT ON COLUMN staff_photos.staff_id IS 'Whose photo.';
COMMENT ON COLUMN staff_photos.media_type IS 'image/png or image/jpeg.';
COMMENT ON COLUMN staff_photos.content IS 'The picture without metadata such as the place where it was taken; at most 200 KiB.';
COMMENT ON COLUMN staff_photos.tag IS 'Digest of the content, for addresses that caches may keep.';
COMMENT ON COLUMN staff_photos.updated_at IS 'Last change.';
