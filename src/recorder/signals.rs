//! Passes signals that come to the launcher on to the program that runs, or counts those that ask it to end.
//!
//! What the terminal sends (interrupt, quit, hangup) goes to the whole foreground group, so the program has it already; only
//! what another process sent to the launcher alone is passed on.

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod linux {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

    /// `struct sigaction` of Linux on 64-bit machines, as the C library has it.
    #[repr(C)]
    struct Action {
        handler: usize,
        mask: [u64; 16],
        flags: c_int,
        restorer: usize,
    }

    /// The beginning of `siginfo_t`.
    #[repr(C)]
    struct Information {
        signal: c_int,
        error: c_int,
        code: c_int,
    }

    unsafe extern "C" {
        fn sigaction(signal: c_int, new: *const Action, old: *mut Action) -> c_int;
        fn kill(process: c_int, signal: c_int) -> c_int;
    }

    const HANGUP: c_int = 1;
    const INTERRUPT: c_int = 2;
    const QUIT: c_int = 3;
    const USER_1: c_int = 10;
    const USER_2: c_int = 12;
    const TERMINATE: c_int = 15;
    const IGNORED: usize = 1;
    const WITH_INFORMATION: c_int = 4;
    const RESTART: c_int = 0x1000_0000;
    /// Codes above are the kernel's own.
    const LAST_USER_CODE: c_int = 0;

    static CHILD: AtomicI32 = AtomicI32::new(0);
    static ASKED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn pass_on(signal: c_int, information: *const Information, _: *mut c_void) {
        let child = CHILD.load(Ordering::Relaxed);
        // SAFETY: the kernel hands over the information; `kill` may be called in a handler.
        unsafe {
            if child > 0 && (*information).code <= LAST_USER_CODE {
                kill(child, signal);
            }
        }
    }

    /// From now on this process does not die of the signals that it passes on. The program starts with none of this.
    pub(crate) fn hold() {
        handle(&[HANGUP, INTERRUPT, QUIT, USER_1, USER_2, TERMINATE], pass_on);
    }

    extern "C" fn note(_: c_int, _: *const Information, _: *mut c_void) {
        ASKED.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on this process does not die of an interrupt, a hangup or a termination, and [`asked`] counts them.
    pub(crate) fn count() {
        handle(&[HANGUP, INTERRUPT, TERMINATE], note);
    }

    /// How often this process was asked to end.
    pub(crate) fn asked() -> u32 {
        ASKED.load(Ordering::Relaxed)
    }

    fn handle(signals: &[c_int], handler: extern "C" fn(c_int, *const Information, *mut c_void)) {
        for &signal in signals {
            let handler = handler as usize;
            let new = Action { handler, mask: [0; 16], flags: WITH_INFORMATION | RESTART, restorer: 0 };
            let mut old = Action { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
            // SAFETY: the structs have the C library's layout, and the handler does what a handler may.
            unsafe {
                // What is ignored, as under `nohup`, stays ignored, for the program as well.
                sigaction(signal, std::ptr::null(), &raw mut old);
                if old.handler != IGNORED {
                    sigaction(signal, &raw const new, std::ptr::null_mut());
                }
            }
        }
    }

    pub(crate) fn pass_to(child: u32) {
        CHILD.store(child.cast_signed(), Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{asked, count, hold, pass_to};

#[cfg(not(target_os = "linux"))]
pub fn hold() {}

#[cfg(not(target_os = "linux"))]
pub fn count() {}

#[cfg(not(target_os = "linux"))]
pub fn asked() -> u32 {
    0
}

#[cfg(not(target_os = "linux"))]
pub fn pass_to(_child: u32) {}
