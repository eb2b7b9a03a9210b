//! Where memory comes from: a request makes some hundred small allocations that die together. What this
//! allocator gives, and what not, stands in `docs/performance.md`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
