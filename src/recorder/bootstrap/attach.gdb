# Hands a request to the agent. What stands in @ is filled in: the threads that wait in a system call, by the stack pointer of
# each; the address, the length and the content of a room for texts in the process, and where they stand in it.
set pagination off
set confirm off
set width 0
set unwindonsignal on
set $refloop_done = 0

# What takes no lock is called while the other threads stand still: gdb may lose its way where one forks meanwhile.

# In a thread that waits: neither the memory allocator nor the loader is at work in it, so the agent may be loaded there.
define refloop_load
  if $refloop_done == 0 && (@WAITING@)
    set $refloop_done = 1
    set scheduler-locking on
    set $refloop_room = ((char *(*)(void *, unsigned long, int, int, int, long)) mmap)((void *) @ROOM@, @LENGTH@, 3, 0x100022, -1, 0)
    set scheduler-locking off
    restore @CONTENT@ binary $refloop_room
    set $refloop_library = ((void *(*)(const char *, int)) dlopen)($refloop_room + @AGENT@, 2)
    if $refloop_library == 0
      printf "refloop: not loaded: %s\n", ((char *(*)(void)) dlerror)()
    else
      set $refloop_function = ((void *(*)(void *, const char *)) dlsym)($refloop_library, $refloop_room + @NAME@)
      set $refloop_answer = ((int (*)(const char *)) $refloop_function)($refloop_room + @REQUEST@)
      printf "refloop: loaded %d\n", $refloop_answer
    end
    set scheduler-locking on
    set $refloop_answer = ((int (*)(void *, unsigned long)) munmap)($refloop_room, @LENGTH@)
    set scheduler-locking off
  end
end
thread apply all refloop_load

# Where none waits, the main thread loads it at the next safe point of the interpreter.
if $refloop_done == 0
  set $refloop_room = ((char *(*)(void *, unsigned long, int, int, int, long)) mmap)((void *) @ROOM@, @LENGTH@, 3, 0x100022, -1, 0)
  restore @CONTENT@ binary $refloop_room
  set $refloop_answer = ((int (*)(int (*)(void *), void *)) Py_AddPendingCall)((int (*)(void *)) PyRun_SimpleString, (void *) ($refloop_room + @SCRIPT@))
  printf "refloop: queued %d\n", $refloop_answer
end
detach
quit
