//! The engine against a simulated service: no I/O, no async, time by hand.

mod brakes;
mod fixture;
mod seeded;
mod tables;
mod waves;
mod world;
