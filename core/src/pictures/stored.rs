//! Pictures in the database. A change increments the calendar revision, so that cached pages notice it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{MediaType, Picture};
use crate::hours::{bump_business, bump_shown};
use crate::transaction::change;
use crate::{Core, Error, Result, staff};

/// The logo; none: there is none.
pub async fn logo(core: &Core) -> Result<Option<Picture>> {
    let row =
        sqlx::query!("SELECT media_type, content, tag FROM business_logo").fetch_optional(&core.pool).await?;
    row.map(|row| stored(&row.media_type, row.content, row.tag)).transpose()
}

/// The logo's tag; none: there is no logo.
pub async fn logo_tag(core: &Core) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("SELECT tag FROM business_logo").fetch_optional(&core.pool).await?)
}

/// Sets the logo.
///
/// # Errors
/// [`Error::NotFound`] before the business is set up.
pub async fn put_logo(core: &Core, picture: Picture) -> Result<()> {
    change(core, picture, |picture, tx, now| Box::pin(insert_logo(tx, now, picture))).await
}

async fn insert_logo(tx: &mut PgConnection, now: DateTime<Utc>, picture: &Picture) -> Result<()> {
    bump_business(tx).await?;
    sqlx::query!(
        "INSERT INTO business_logo (media_type, content, tag, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (singleton) DO UPDATE SET media_type = $1, content = $2, tag = $3, updated_at = $4",
        picture.media_type.as_str(),
        &picture.content,
        picture.tag,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the logo, if there is one.
///
/// # Errors
/// [`Error::NotFound`] before the business is set up.
pub async fn remove_logo(core: &Core) -> Result<()> {
    change(core, (), |(), tx, _| {
        Box::pin(async move {
            bump_business(tx).await?;
            sqlx::query!("DELETE FROM business_logo").execute(tx).await?;
            Ok(())
        })
    })
    .await
}

/// The photo of a member of staff; none: there is none.
pub async fn photo(core: &Core, staff_id: Uuid) -> Result<Option<Picture>> {
    let row = sqlx::query!("SELECT media_type, content, tag FROM staff_photos WHERE staff_id = $1", staff_id)
        .fetch_optional(&core.pool)
        .await?;
    row.map(|row| stored(&row.media_type, row.content, row.tag)).transpose()
}

/// Sets the photo of a member of staff.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn put_photo(core: &Core, staff_id: Uuid, picture: Picture) -> Result<()> {
    change(core, (staff_id, picture), |(staff_id, picture), tx, now| {
        Box::pin(insert_photo(tx, now, *staff_id, picture))
    })
    .await
}

async fn insert_photo(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_id: Uuid,
    picture: &Picture,
) -> Result<()> {
    lock_member(tx, staff_id).await?;
    sqlx::query!(
        "INSERT INTO staff_photos (staff_id, media_type, content, tag, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (staff_id) DO UPDATE SET media_type = $2, content = $3, tag = $4, updated_at = $5",
        staff_id,
        picture.media_type.as_str(),
        &picture.content,
        picture.tag,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the photo of a member of staff, if there is one.
///
/// # Errors
/// [`Error::NotFound`] when there is no such member of staff.
pub async fn remove_photo(core: &Core, staff_id: Uuid) -> Result<()> {
    change(core, staff_id, |staff_id, tx, _| {
        Box::pin(async move {
            lock_member(tx, *staff_id).await?;
            sqlx::query!("DELETE FROM staff_photos WHERE staff_id = $1", *staff_id).execute(tx).await?;
            Ok(())
        })
    })
    .await
}

async fn lock_member(tx: &mut PgConnection, staff_id: Uuid) -> Result<()> {
    bump_shown(tx).await?;
    let locked = staff::lock(tx, &[staff_id]).await?;
    if locked.is_empty() { Err(Error::NotFound("staff")) } else { Ok(()) }
}

fn stored(media_type: &str, content: Vec<u8>, tag: String) -> Result<Picture> {
    let media_type = MediaType::of(media_type)
        .ok_or_else(|| Error::internal("a stored picture", "its media type is unknown"))?;
    Ok(Picture { media_type, content, tag })
}
