//! Declares the few functions of the C library that the agent needs and `std` does not have.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

const READ: c_int = 1;
/// `PROT_READ | PROT_WRITE`.
const READ_WRITE: c_int = 3;
const MAP_SHARED: c_int = 1;
const MAP_PRIVATE: c_int = 2;
const MAP_ANONYMOUS: c_int = 0x20;
const MAP_NORESERVE: c_int = 0x4000;

/// An `iovec`.
#[repr(C)]
pub(crate) struct Segment {
    pub base: *mut c_void,
    pub bytes: usize,
}

unsafe extern "C" {
    fn mmap(
        address: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> c_int;
    fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    fn mremap(address: *mut c_void, old: usize, new: usize, flags: c_int, ...) -> *mut c_void;
    fn getrlimit(resource: c_int, limits: *mut [u64; 2]) -> c_int;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
    fn process_vm_writev(
        process: c_int,
        local: *const Segment,
        n_local: usize,
        remote: *const Segment,
        n_remote: usize,
        flags: usize,
    ) -> isize;
    fn geteuid() -> u32;
    fn clock_gettime(clock: c_int, time: *mut [i64; 2]) -> c_int;
    pub(crate) fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
}

/// A bit for each signal, from 1 on, in the size that Linux's C libraries have.
pub(crate) type SignalSet = [u64; 16];

/// The user as whom this process writes files.
pub(crate) fn user() -> u32 {
    // SAFETY: it asks for nothing and never fails.
    unsafe { geteuid() }
}

/// In a copy, the process that it is a copy of; else 0.
static SPEAKS_FOR: AtomicU32 = AtomicU32::new(0);

/// The process that is recorded: this one, or that of which this is a copy.
pub(crate) fn process() -> u32 {
    match SPEAKS_FOR.load(Ordering::Relaxed) {
        0 => std::process::id(),
        other => other,
    }
}

/// This process is a copy.
pub(crate) fn speak_for(process: u32) {
    SPEAKS_FOR.store(process, Ordering::Relaxed);
}

/// Maps the beginning of a file; for reading alone where its file system has no more.
pub(crate) fn map_file(file: c_int, length: usize) -> io::Result<*mut u8> {
    // SAFETY: a new mapping touches nothing that exists, on a descriptor that the caller owns.
    let map = |protection| unsafe { checked(mmap(std::ptr::null_mut(), length, protection, MAP_SHARED, file, 0)) };
    map(READ_WRITE).or_else(|_| map(READ))
}

/// Copies bytes of this process by the kernel, which answers where an access would fault. False where not all were copied.
///
/// # Safety
/// Nobody else has a reference to the bytes that are written.
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) -> bool {
    let (from, to) = (Segment { base: from.cast_mut().cast(), bytes }, Segment { base: to.cast(), bytes });
    // SAFETY: as the caller promises; the kernel looks itself at what it reads and writes.
    let copied =
        unsafe { process_vm_writev(std::process::id().cast_signed(), &raw const from, 1, &raw const to, 1, 0) };
    copied.cast_unsigned() == bytes
}

/// Whether a file of this length may be written: beyond the limit a signal would come with the error.
pub(crate) fn may_write(length: u64) -> io::Result<()> {
    const RLIMIT_FSIZE: c_int = 1;
    const EFBIG: i32 = 27;
    if length <= limit(RLIMIT_FSIZE) { Ok(()) } else { Err(io::Error::from_raw_os_error(EFBIG)) }
}

/// What the process may have of a resource.
pub(crate) fn limit(resource: c_int) -> u64 {
    let mut limits = [u64::MAX; 2];
    // SAFETY: the array has the shape of a 64-bit `rlimit`.
    unsafe {
        getrlimit(resource, &raw mut limits);
    }
    limits[0]
}

/// Zeroed memory that takes room only where it is touched.
pub(crate) fn map_zeroed(length: usize) -> io::Result<*mut u8> {
    map_memory(length, MAP_PRIVATE | MAP_NORESERVE)
}

/// Zeroed memory that copies of this process have in common with it.
pub(crate) fn map_shared(length: usize) -> io::Result<*mut u8> {
    map_memory(length, MAP_SHARED)
}

/// Zeroed memory of this process.
pub(crate) fn map_private(length: usize) -> io::Result<*mut u8> {
    map_memory(length, MAP_PRIVATE)
}

/// Makes it longer or shorter, elsewhere if need be.
///
/// # Safety
/// The range must come from [`map_private`], and nothing may point into it any more.
pub(crate) unsafe fn resize(address: *mut u8, old: usize, new: usize) -> io::Result<*mut u8> {
    const MREMAP_MAYMOVE: c_int = 1;
    // SAFETY: as the caller promises.
    unsafe { checked(mremap(address.cast(), old, new, MREMAP_MAYMOVE)) }
}

/// Has the kernel give the whole pages of a range at once, in a third of the time that it takes page by page as they are written to.
/// A kernel before 5.14 does not know how, and one that has no memory says so: then it is page by page.
pub(crate) fn provide(start: usize, bytes: usize) {
    const MADV_POPULATE_WRITE: c_int = 23;
    const PAGE: usize = 4096;
    let (from, to) = (start.next_multiple_of(PAGE), (start + bytes) / PAGE * PAGE);
    if from < to {
        // SAFETY: what stands in the range stays, and nothing is read from it that was not there.
        unsafe {
            madvise(std::ptr::with_exposed_provenance_mut(from), to - from, MADV_POPULATE_WRITE);
        }
    }
}

fn map_memory(length: usize, flags: c_int) -> io::Result<*mut u8> {
    // SAFETY: a new mapping touches nothing that exists.
    unsafe { checked(mmap(std::ptr::null_mut(), length, READ_WRITE, flags | MAP_ANONYMOUS, -1, 0)) }
}

/// # Safety
/// The range must come from one of the functions above, and nothing may point into it any more.
pub(crate) unsafe fn unmap(address: *mut u8, length: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        munmap(address.cast(), length);
    }
}

fn checked(address: *mut c_void) -> io::Result<*mut u8> {
    if address.addr() == usize::MAX { Err(io::Error::last_os_error()) } else { Ok(address.cast()) }
}

/// The address of a symbol of the program or of a library it has loaded; 0 if there is none.
pub(crate) fn symbol(name: &std::ffi::CStr) -> usize {
    // SAFETY: a null handle is `RTLD_DEFAULT`, the name ends with a zero byte.
    unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()).addr() }
}

/// Runs `child` in the child of each `fork`.
pub(crate) fn at_fork(child: extern "C" fn()) {
    // SAFETY: the handler is a static function.
    unsafe {
        pthread_atfork(None, None, Some(child));
    }
}

/// Works without signals on this thread. Those that come meanwhile take effect when the work is done.
pub(crate) fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    const SIG_BLOCK: c_int = 0;
    const SIG_SETMASK: c_int = 2;
    // What the processor says of the work itself: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS.
    const FAULTS: u64 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30;
    let mut others: SignalSet = [u64::MAX; 16];
    others[0] = !FAULTS;
    let mut before: SignalSet = [0; 16];
    // SAFETY: the sets have the size of a `sigset_t`.
    let blocked = unsafe { pthread_sigmask(SIG_BLOCK, &raw const others, &raw mut before) == 0 };
    let done = work();
    if blocked {
        // SAFETY: as above; the set is that of before.
        unsafe {
            pthread_sigmask(SIG_SETMASK, &raw const before, std::ptr::null_mut());
        }
    }
    done
}

/// The monotonic clock, in nanoseconds.
pub(crate) fn now() -> u64 {
    const CLOCK_MONOTONIC: c_int = 1;
    clock(CLOCK_MONOTONIC)
}

/// What a clock says, in nanoseconds; 0 where it is not there.
pub(crate) fn clock(clock: c_int) -> u64 {
    let mut time = [0; 2];
    // SAFETY: the array has the shape of a 64-bit `timespec`.
    unsafe {
        clock_gettime(clock, &raw mut time);
    }
    time[0].cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(time[1].cast_unsigned())
}
