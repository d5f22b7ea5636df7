//! The models, a file for each part of the library.

mod cache;
mod copy_on_write;
mod exhaustion;
mod fallback;
mod free_list;
mod halves;
mod handles;
mod lanes;
mod object_pool;
mod raw;
mod reserve;
mod settle;
mod statistics;
mod wait;
mod wake;
mod wrap;

use crate::model::Model;

pub fn all() -> Vec<&'static Model> {
    let parts = [
        free_list::MODELS,
        exhaustion::MODELS,
        cache::MODELS,
        handles::MODELS,
        halves::MODELS,
        lanes::MODELS,
        copy_on_write::MODELS,
        fallback::MODELS,
        raw::MODELS,
        reserve::MODELS,
        settle::MODELS,
        wake::MODELS,
        wait::MODELS,
        object_pool::MODELS,
        statistics::MODELS,
        wrap::MODELS,
    ];
    parts.into_iter().flatten().collect()
}
