use revolve_domain::{
    journal::{Actor, Tell, Told},
    model::{EventId, Timestamp},
};

/// For changes of a test that tell nothing.
pub fn untold<O>() -> Tell<O> {
    Tell::new(
        EventId::from_random([0; 16]),
        Timestamp::from_seconds(0),
        Actor::System,
        |_| Told::default(),
    )
}
