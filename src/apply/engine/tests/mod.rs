//! The engine against a simulated service: no I/O, no async, time by hand.

mod answers;
mod brakes;
mod ends;
mod fixture;
mod halts;
mod hand;
mod pace;
mod progress;
mod replays;
mod seeded;
mod tables;
mod waves;
mod world;
