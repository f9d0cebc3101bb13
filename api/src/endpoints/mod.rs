//! The operations, one file each: request, docs, handler.

mod api_keys;
mod auth;
mod bookings;
mod business;
mod classes;
mod closures;
mod customers;
mod events;
mod hours;
mod me;
mod ops;
mod overrides;
mod range;
mod report;
mod resources;
mod sandbox;
mod services;
mod slots;
mod staff;
mod tag;
mod time_off;
mod webhooks;

use std::collections::{BTreeMap, HashMap};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, MetaPath, Registry},
};

pub use tag::Tag;

use crate::contract::Operation;

// Tuples implement Default up to twelve members, hence groups of groups.
type Groups = (Account, Catalogue, Booking, Programs, ops::Operations);

type Account = (auth::Operations, me::Operations, api_keys::Operations);

type Catalogue = (
    business::Operations,
    services::Operations,
    staff::Operations,
    hours::Operations,
    overrides::Operations,
    time_off::Operations,
    closures::Operations,
    resources::Operations,
);

type Booking = (
    slots::ListSlots,
    bookings::Operations,
    classes::Operations,
    customers::Operations,
    report::GetMonthReport,
);

type Programs = (events::ListEvents, webhooks::Operations, sandbox::Operations);

/// Combines all operations. Operations of one path may be in several files; the document has each path once.
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

/// Every operation, with its access, limits and problems.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    const GROUPS: &[&[&Operation]] = &[
        auth::OPERATIONS,
        me::OPERATIONS,
        api_keys::OPERATIONS,
        business::OPERATIONS,
        services::OPERATIONS,
        staff::OPERATIONS,
        hours::OPERATIONS,
        overrides::OPERATIONS,
        time_off::OPERATIONS,
        closures::OPERATIONS,
        resources::OPERATIONS,
        customers::OPERATIONS,
        &[&slots::OPERATION],
        bookings::OPERATIONS,
        bookings::SERIES,
        bookings::VISITS,
        classes::OPERATIONS,
        &[&report::OPERATION],
        &[&events::OPERATION],
        webhooks::OPERATIONS,
        sandbox::OPERATIONS,
        ops::OPERATIONS,
    ];
    GROUPS.iter().copied().flatten().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_access_once_and_nothing_else_does() {
        let mut described: Vec<_> = Endpoints::meta()
            .into_iter()
            .flat_map(|api| api.paths)
            .flat_map(|path| path.operations)
            .map(|operation| operation.operation_id.expect("every operation has an id"))
            .collect();
        let mut listed: Vec<_> = operations().map(|operation| operation.id).collect();
        described.sort_unstable();
        listed.sort_unstable();
        assert_eq!(described, listed);
    }
}
