//! What `tierpool` costs beside what a user would pick instead.
