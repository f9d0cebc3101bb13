//! HTTP as handlers use it: bodies, parameters, entity tags, answers, values and problems.

pub mod address;
pub mod body;
pub mod compress;
pub mod etag;
pub mod even_time;
pub mod html;
pub mod image;
pub mod params;
pub mod problem;
pub mod reply;
pub mod values;
