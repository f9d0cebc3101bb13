//! Stories and faults on a real Postgres, a real Redis and real processes. One module per area.

mod harness;
