//! The operations, one file each: request, docs, handler.

mod auth;
mod bookings;
mod business;
mod hours;
mod me;
mod services;
mod slots;
mod staff;
mod tag;

use std::collections::{BTreeMap, HashMap};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, MetaPath, Registry},
};

pub use tag::Tag;

type Groups = (
    auth::Operations,
    me::Operations,
    business::GetBusiness,
    services::Operations,
    staff::Operations,
    hours::Operations,
    slots::ListSlots,
    bookings::Operations,
);

/// All operations as one. Operations of one path may live in several files; the document wants each path once.
#[derive(Default)]
pub struct Endpoints(Groups);

impl OpenApi for Endpoints {
    fn meta() -> Vec<MetaApi> {
        let mut paths: BTreeMap<String, MetaPath> = BTreeMap::new();
        for path in Groups::meta().into_iter().flat_map(|api| api.paths) {
            match paths.get_mut(&path.path) {
                Some(known) => known.operations.extend(path.operations),
                None => drop(paths.insert(path.path.clone(), path)),
            }
        }
        vec![MetaApi { paths: paths.into_values().collect() }]
    }

    fn register(registry: &mut Registry) {
        Groups::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(table);
    }
}
