//! The engine over real databases, and its logic in a simulated world.

#[path = "suite/engine.rs"]
mod engine;
#[path = "suite/kit.rs"]
mod kit;
#[path = "suite/model.rs"]
mod model;
#[path = "suite/outbox.rs"]
mod outbox;
#[path = "suite/simulation.rs"]
mod simulation;
#[path = "suite/worker.rs"]
mod worker;
