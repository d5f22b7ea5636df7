//! Steps of a worker. One that has nothing to work on does nothing, and says so.

mod chains;
mod faults;
mod objects;
mod raw;
mod requests;
mod shared;
mod unique;
mod upkeep;
mod wait;
