/* SPDX-License-Identifier: MIT */
/*
 * names: the names of the outside world and the limits, each once, each with its reason.
 * Directories that the build decides are in config.h.
 */
#pragma once

/* Ports (docs/protocol.rst, "Channels"). */
#define NEGO_PORT_QGA           "org.qemu.guest_agent.0"
#define NEGO_PORT_HOST_TO_GUEST "negotiator-host-to-guest.0"
#define NEGO_PORT_GUEST_TO_HOST "negotiator-guest-to-host.0"
/* The port of negotiator 0.2, served as an alias of NEGO_PORT_HOST_TO_GUEST. */
#define NEGO_PORT_OLD         "negotiator-channel.0"
#define NEGO_VIRTIO_DEV_DIR   "/dev/virtio-ports"
#define NEGO_VIRTIO_SYS_DIR   "/sys/class/virtio-ports"
#define NEGO_VIRTIO_SUBSYSTEM "virtio-ports"
#define NEGO_DEV_DIR          "/dev"

/* Where the guest's programs find the way to the host. */
#define NEGO_HOST_SOCKET "/run/negotiator/host.sock"
/* Who may use that, and the sockets of guests on the host, beside root. */
#define NEGO_SOCKET_GROUP "negotiator"

/* Configuration: qemu-ga's file and the variable that names another one. */
#define NEGO_CONF_FILE_QGA "/etc/qemu/qemu-ga.conf"
#define NEGO_CONF_ENV_QGA  "QGA_CONF"

/* Framing. QEMU's limits on the QGA port (qobject/json-streamer.c has the same), so that what
 * qemu-ga took is taken; much less on our own ports, where large data goes in pieces. */
#define NEGO_MESSAGE_BYTES_QGA  (64u << 20)
#define NEGO_MESSAGE_BYTES_PORT (1u << 20)
#define NEGO_MESSAGE_TOKENS     (2u << 20)
#define NEGO_MESSAGE_DEPTH      1024u
/* Bytes of hostile input that an error quotes: enough to find the place, too few to amplify. */
#define NEGO_ERROR_QUOTE_BYTES 64u

/* A string among the arguments that is longer goes past json-glib: below, its own work for a
 * request is the larger part. */
#define NEGO_BULK_BYTES (8u << 10)

/* A reply line of a negotiator command, encoded: libvirt's passthrough carries 4 MiB, its agent
 * code 10 MiB, many line readers 1 MiB. */
#define NEGO_REPLY_BYTES (1u << 20)
/* The id of a negotiator command, as echoed: that such a line always has room for it. */
#define NEGO_REPLY_ID_BYTES (4u << 10)

/* Replies waiting for a slow reader: above this no further request of the session is started or
 * read. One reply may exceed it, since a reply is never cut. */
#define NEGO_SESSION_QUEUE_BYTES (256u << 10)
/* A message or reply over this leaves memory that its session gives back when none has come for the
 * time below: mapping memory anew for each costs many times what reading and answering it does. */
#define NEGO_SESSION_LARGE_BYTES (32u << 10)
#define NEGO_SESSION_IDLE_MS     1000u
/* Until then it keeps what a file takes that is written in pieces of 1 MiB. */
#define NEGO_SESSION_KEEP_BYTES (2u << 20)
/* Requests of a session that wait for their turn. A host that pipelines more waits for replies. */
#define NEGO_SESSION_PENDING 256u
/* Requests that a concurrent session runs at a time: of many programs behind one multiplexer, each
 * of which may wait for seconds; a call that waits costs some KiB. */
#define NEGO_SESSION_CONCURRENT 64u
/* How long a sync waits for the replies before it (docs/protocol.rst, "Requests, replies, sync").
 */
#define NEGO_SESSION_SYNC_WAIT_MS 200u
/* A QGA port whose host takes no output for so long is closed and reopened: libvirt's agent error
 * state ends no other way. Far above what a busy host needs. */
#define NEGO_SESSION_STUCK_S 30u
/* A host whose first data were there before it shows within this time, of which the guest's kernel
 * needs microseconds, and a processor that is lent elsewhere longer; one that shows later is
 * another, and what the data left is forgotten (port-host.h). */
#define NEGO_PORT_EARLY_MS 2000
/* So long a host that leaves right behind data is waited for: the next one's coming is dealt with
 * by the kernel in the same breath as its leaving. */
#define NEGO_PORT_LEAVING_MS 200
/* Clients of one listening channel at a time; more wait in the kernel's backlog. */
#define NEGO_CHANNEL_CLIENTS 16u
/* A port whose reader is stuck is closed and opened again at once, but not more often than this: a
 * host that is only slow must not be cut off again and again. */
#define NEGO_CHANNEL_REOPEN_S 300
/* What the kernel keeps of connections that wait for their turn. */
#define NEGO_LISTENER_BACKLOG 64
/* Without descriptors or memory to accept with: until the next try, unless a client leaves. */
#define NEGO_LISTENER_PAUSE_MS 1000
/* Tries after an event that promises a device: the kernel tells of a close before it frees the
 * device (fs/file_table.c, __fput), and virtio_console waits for the host in between. The pause
 * doubles from 1 ms; with the last one it is 4 s in all, then only the next event counts. */
#define NEGO_DEVICE_PAUSE_MS 2048u
/* A device that was open for less is not opened again at once: it would spin. */
#define NEGO_DEVICE_STEADY_MS 1000

/* What is kept for a port's host that has gone: clients that connect for each request are back
 * within seconds, and what was left behind should not stay for ever. */
#define NEGO_OWNER_AWAY_S 60u

/* Files. */
#define NEGO_FILES     64u  /* open handles of one client: far above use */
#define NEGO_FILES_ALL 512u /* of all clients: half of the descriptors that a process has */
#define NEGO_FILE_WAIT_MS \
  30000u /* how long one operation may take: a slow disk, not a dead server */
/* How long negotiator-file-finish may take: a slow disk has to write all that memory held. */
#define NEGO_FILE_FINISH_WAIT_MS 600000u
/* How long the end of the agent waits for files to be closed and their temporary names removed. */
#define NEGO_FILE_END_WAIT_MS 5000u
/* What one guest-file-read may ask for: QGA's limit, so that base64 of it is QEMU's largest token.
 */
#define NEGO_FILE_READ_BYTES (48u << 20)
/* Read without a thread, where that needs no waiting: some 100 us, as long as a thread takes to
 * wake up. */
#define NEGO_FILE_NOW_BYTES (64u << 10)
/* What one negotiator-file-stat may hash: some 50 ms. */
#define NEGO_FILE_HASH_BYTES (16u << 20)
/* Read and encoded at a time: a multiple of 3 that stays in a core's cache, and in the heap. */
#define NEGO_FILE_SLICE_BYTES (24u << 10)

/* A message of the Python negotiator: as on our own ports. Its tokens: a list of NEGO_SCRIPTS
 * names, with commas. */
#define NEGO_OLD_BYTES  (1u << 20)
#define NEGO_OLD_TOKENS (16u << 10)
#define NEGO_OLD_DEPTH  32u
/* Output of a command that one reply to such a peer has, before it is written as JSON: there are no
 * pages. */
#define NEGO_OLD_OUTPUT_BYTES (1u << 20)

/* Log. A line is written at once or not at all: PIPE_BUF is what a pipe takes whole. */
#define NEGO_LOG_LINE_BYTES 4096u
#define NEGO_LOG_WAIT_MS    100 /* for a reader that is slow; the next lines do not wait again */
/* Lines that wait while file systems are frozen: two for each of some hundred runs' ends. */
#define NEGO_LOG_HELD_LINES     256u
#define NEGO_LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Scripts. */
#define NEGO_SCRIPT_TIMEOUT_S 10 /* unless the key file says otherwise */
#define NEGO_SCRIPT_GRACE_S   5  /* from TERM to KILL */
#define NEGO_SCRIPT_OUTPUT_BYTES \
  (8u << 20)                          /* kept of each stream, unless MaxOutput says otherwise */
#define NEGO_SCRIPT_CONCURRENCY 8u    /* runs of one script at once, unless Concurrency says so */
#define NEGO_SCRIPT_ARGS        1024u /* arguments of one call: far above use, far below ARG_MAX */
#define NEGO_SCRIPT_ARG_BYTES   (128u << 10) /* one argument: Linux's MAX_ARG_STRLEN */
#define NEGO_SCRIPT_ENV         256u         /* env entries of one call */
#define NEGO_SCRIPT_INPUT_BYTES (16u << 20)  /* input-data of one call, decoded */
#define NEGO_SCRIPT_CONF_BYTES  (64u << 10)  /* a key file */
#define NEGO_SCRIPT_NAME_BYTES  128u         /* a script's name */
#define NEGO_SCRIPT_OUTPUT_MAX \
  (32u << 20) /* MaxOutput: both streams fit NEGO_JOBS_RETAINED_BYTES */
#define NEGO_SCRIPT_TIMEOUT_MAX_S     (30u * 86400u) /* Timeout: a longer one means none (0) */
#define NEGO_SCRIPT_DESCRIPTION_BYTES 256u           /* Description: a line for people */
/* MemoryMax: less than the exec helper and a shell need is no limit but a failure. */
#define NEGO_SCRIPT_MEMORY_MIN (4u << 20)
/* Control groups: of running jobs, and those of ended ones in which processes are left. Each takes
 * a watch and some KiB of the kernel's memory. */
#define NEGO_CGROUPS           1024u
#define NEGO_CGROUP_DEPTH      8u /* groups that a script makes below its own: deeper ones are left */
#define NEGO_CGROUP_FILE_BYTES (64u << 10) /* of a group's file: 8,000 processes and more */
/* Nice: what setpriority(2) takes. */
#define NEGO_SCRIPT_NICE_MIN     (-20)
#define NEGO_SCRIPT_NICE_MAX     19
#define NEGO_SCRIPTS             4096u /* entries that one negotiator-list looks at */
#define NEGO_JOBS_RUNNING        64u   /* all scripts together: a guest's processes are not free */
#define NEGO_JOBS_RETAINED       256u  /* ended jobs kept for collection */
#define NEGO_JOBS_RETAINED_BYTES (64u << 20) /* their output in all */
#define NEGO_JOB_EXPIRY_S        600         /* an ended, unforgotten job */
#define NEGO_JOBS_QUEUED         64u         /* each may hold 16 MiB of input */
#define NEGO_JOBS_LISTED         1000u       /* of negotiator-jobs: a reply line's worth */
#define NEGO_JOB_KEY_BYTES       64u
/* A stream of a flow job: what a request for output may get at once, and 7 ms of it at 150 MB/s. */
#define NEGO_JOB_WINDOW_BYTES (1u << 20)
/* How long a flow job's window may stay full: a caller that reconnects needs less. */
#define NEGO_JOB_STALL_S 60
/* What a script's input holds beyond the pipe: two of the largest pieces that a 1 MiB message
 * takes.
 */
#define NEGO_JOB_INPUT_BYTES (1u << 20)
/* Subscriptions of one channel: more than jobs may run, unless somebody raised that. */
#define NEGO_FEEDS 256u
/* Raw bytes of one output event: so it holds up replies and other jobs' events for less than a
 * millisecond. */
#define NEGO_EVENT_BYTES (64u << 10)
/* A script that writes little and often gets one event for what it writes in so long: each costs
 * its reader more than its bytes do. What comes after silence is told at once. */
#define NEGO_EVENT_GATHER_US 1000
/* Events that are written in one turn of the main loop: others have their turn in between. */
#define NEGO_SESSION_EVENTS 16u
/* The umask of both daemons, and so of what they run: the usual one. Files of their own name their
 * modes. */
#define NEGO_CHILD_UMASK 022
/* Pipes of ended scripts that background children still hold; one more closes the oldest. */
#define NEGO_JOBS_DRAINED 128u
#define NEGO_EXEC_WAIT_S  4 /* default of wait: libvirt's passthrough gives up after 5 */
#define NEGO_EXEC_STATUS_WAIT_QGA_S \
  1 /* negotiator-exec-status on the QGA port holds the agent no longer */

/* guest-exec. Processes that run; qemu-ga has no limit, and no client comes near. */
#define NEGO_PROCESSES_RUNNING 128u
/* Ended ones that nobody asked for: how many, and their output, which the largest one fits. */
#define NEGO_PROCESSES_ENDED       256u
#define NEGO_PROCESSES_ENDED_BYTES (64u << 20)
/* Input that waits for all of them: twice what one request can carry, and more. */
#define NEGO_PROCESSES_INPUT_BYTES (128u << 20)
/* Kept of one stream: qemu-ga's (GUEST_EXEC_MAX_OUTPUT). */
#define NEGO_PROCESS_STREAM_BYTES (16u << 20)
/* In one reply, of both streams. Where libvirt listens, its line stays below the 10 MiB that
 * libvirt's agent code reads: beyond, every later call to the guest fails. */
#define NEGO_PROCESS_REPLY_BYTES         (2 * NEGO_PROCESS_STREAM_BYTES)
#define NEGO_PROCESS_REPLY_BYTES_LIBVIRT (7u << 20)
/* Output that is written into a reply at once: less than handing it to a thread costs. */
#define NEGO_PROCESS_INLINE_BYTES (64u << 10)
/* How long output is awaited that others hold open when the process itself has ended: daemons hold
 * it for ever, and what a shell left in the background is done in a moment. */
#define NEGO_PROCESS_LINGER_S 5

/* What is kept of a system program's output, for the reason of a failure. */
#define NEGO_TOOL_OUTPUT_BYTES (4u << 10)
/* How long a system program may take: D-Bus gives up after 25 s, and a directory service that knows
 * an account is asked again and again. */
#define NEGO_TOOL_S 60u
/* A password, as it is or hashed, and a user's name: chpasswd(8) reads lines of 8 KiB. */
#define NEGO_PASSWORD_BYTES 4096u
/* SSH keys of one call: libvirt's limit (REMOTE_DOMAIN_AUTHORIZED_KEYS_MAX). One key: a certificate
 * of the longest RSA key takes half. A file: a KiB for each; listed, it stays below 10 MiB,
 * whatever is in it. */
#define NEGO_KEYS            2048u
#define NEGO_KEY_BYTES       (16u << 10)
#define NEGO_KEYS_FILE_BYTES (2u << 20)
/* A user's name: Linux's LOGIN_NAME_MAX. */
#define NEGO_USER_NAME_BYTES 256u
/* Setting a clock: another program may hold the device for two seconds of that. */
#define NEGO_CLOCK_S 10u

/* What a host program takes of a guest's reply: a guest is hostile. */
#define NEGO_GUEST_REPLY_BYTES \
  NEGO_REPLY_BYTES /* no honest one to a negotiator command is longer */
#define NEGO_GUEST_REPLY_BYTES_QGA    (10u << 20)  /* as libvirt */
#define NEGO_GUEST_REPLY_TOKENS       (512u << 10) /* a full list of objects with 30 members each */
#define NEGO_GUEST_REPLY_DEPTH        32u          /* as libvirt */
#define NEGO_GUEST_REPLY_LIST         4096u
#define NEGO_GUEST_REPLY_STRING_BYTES (64u << 10) /* but for members that carry data */
/* How long a port is tried until it is called busy, or its agent silent: a sync takes 0.2 s at
 * most, and a person waits a second. */
#define NEGO_GUEST_SYNC_S 0.9
/* How long a reply is waited for, unless --timeout says otherwise: libvirt gives up after 5 s, and
 * a guest may be swapping. */
#define NEGO_GUEST_ANSWER_S 10
/* How long nego-host list waits for one guest, of many: for a port, then for libvirt. */
#define NEGO_GUEST_PROBE_S 3
/* How long one call holds a guest's agent for libvirt's other users, and how long it is theirs
 * between two such calls: libvirt's lock is not fair. */
#define NEGO_GUEST_WAIT_QGA_S 0.9
#define NEGO_GUEST_PAUSE_MS   50
/* How long the first request of a run waits for output on a channel with events: what is behind it,
 * a signal say, waits too. And one that asks for room for input, or for output while there may be
 * input to send: a person who types does not notice. */
#define NEGO_RUN_START_WAIT_S 0.1
#define NEGO_RUN_INPUT_WAIT_S 0.2
/* A quiet channel with events is asked so often whether it is still there: a dead guest does not
 * close it. The same request subscribes again, should the guest have forgotten us. */
#define NEGO_RUN_QUIET_S 5
/* Raw bytes of output after which the guest is told that we have it: several of these are in its
 * window. */
#define NEGO_RUN_ACKNOWLEDGE_BYTES (256u << 10)
/* Raw bytes of one request's input: as base64 it fits a message of our own port, and through
 * libvirt NEGO_GUEST_REQUEST_BYTES_LIBVIRT, with room for arguments. */
#define NEGO_RUN_INPUT_BYTES         (384u << 10)
#define NEGO_RUN_INPUT_BYTES_LIBVIRT (96u << 10)
/* Guests that exec works at at once, unless -P says otherwise, and at most. */
#define NEGO_MANY_PARALLEL     32u
#define NEGO_MANY_PARALLEL_MAX 256u
/* When several guests take so long, a person wants to know how far they are. */
#define NEGO_MANY_PROGRESS_MS 1000
/* A line of one of several guests; a longer one is cut: others wait for its end. */
#define NEGO_PREFIX_LINE_BYTES (64u << 10)
/* A snapshot: freezing a busy guest takes as long as writing its dirty pages. */
#define NEGO_SNAPSHOT_S          120
#define NEGO_SNAPSHOT_NAME_BYTES 64u /* it becomes a part of file names */
/* nego-host cp: requests on their way at once, so that both sides always have one to work at; and
 * how long one may take: the guest's own limit, and some. */
#define NEGO_COPY_WINDOW   4u
#define NEGO_COPY_ANSWER_S 40
/* A file that says that it has no bytes, as those of /proc do, may have so many. */
#define NEGO_COPY_UNSIZED_BYTES (16u << 20)
/* After a signal the guest has so long to answer what it was asked, and to close its file. */
#define NEGO_COPY_TIDY_MS 5000
/* Between two tries to reach a guest again. */
#define NEGO_RUN_RETRY_MS 100
/* Agent calls of one libvirt connection in flight: libvirtd serves 5 requests at a time. */
#define NEGO_GUEST_CALLS 4
/* A request over libvirt: one that does not fit into the socket between libvirtd and QEMU at once
 * (212,992 bytes, Linux's wmem_default) gets stuck there; tried with libvirt 9.0 and qemu-ga. */
#define NEGO_GUEST_REQUEST_BYTES_LIBVIRT (192u << 10)

/* The host's policy: files of a directory, and the rules in all of them. Each call of a guest looks
 * at them in turn. */
#define NEGO_RULES_FILES      256u
#define NEGO_RULES_FILE_BYTES (256u << 10)
#define NEGO_RULES            4096u
#define NEGO_RULES_NAME_BYTES 64u
/* Patterns of one key of a rule, and the length of one: a person wrote them. */
#define NEGO_RULES_PATTERNS      64u
#define NEGO_RULES_PATTERN_BYTES 256u
/* An argument of a guest that a pattern is tried on, which costs at most the product of both
 * lengths; what is longer goes as input. */
#define NEGO_RULES_ARG_BYTES (4u << 10)
/* What the kernel says of itself. Files of /proc: a table of NEGO_ROUTES rows has 3 MiB, /proc/stat
 * of a machine with thousands of processors some. */
#define NEGO_KERNEL_FILE_BYTES (8u << 20)
/* Until a query of the kernel is given up: libvirt's own patience for most calls is endless, but a
 * person's is not. What changes something has no limit: it must be known how it ended. */
#define NEGO_QUERY_S 60u
/* Rows of a reply: with more it would come near 10 MiB, which is the end of a guest's channel for
 * libvirt. */
#define NEGO_INTERFACES    16384u
#define NEGO_ROUTES        16384u
#define NEGO_MEMORY_BLOCKS 65536u
#define NEGO_USERS         4096u
/* Linux's own limit is 8,192 (NR_CPUS). */
#define NEGO_VCPUS 16384u
/* Who is logged in, and since when. */
#define NEGO_UTMP_FILE          "/var/run/utmp"
#define NEGO_LOGIND_SESSIONS    "/run/systemd/sessions"
#define NEGO_SESSION_FILES      8192u            /* logind's own limit (SessionsMax=) */
#define NEGO_SESSION_FILE_BYTES (64u << 10)      /* has some 20 lines */
#define NEGO_OS_RELEASE_BYTES   (64u << 10)      /* has some 15 lines */
#define NEGO_OS_RELEASE_ENV     "QGA_OS_RELEASE" /* qemu-ga's; names another file */

/* What nego-hostd takes of a guest: a guest is hostile (protocol.rst, "The reverse channel"). */
#define NEGO_HOSTD_MESSAGE_BYTES  (1u << 20)
#define NEGO_HOSTD_MESSAGE_TOKENS 1000u
#define NEGO_HOSTD_MESSAGE_DEPTH  32u
/* Scripts of one guest that run at once; others wait, as many as may be in flight. */
#define NEGO_HOSTD_RUNNING 4u
#define NEGO_HOSTD_QUEUED  64u
/* Output kept of each stream of a guest's job, so 8 MiB a job; and of its ended jobs. */
#define NEGO_HOSTD_OUTPUT_BYTES   (4u << 20)
#define NEGO_HOSTD_RETAINED_BYTES (16u << 20)
/* Output kept of all guests' jobs: above it, a guest that holds more than its share is refused. */
#define NEGO_HOSTD_ALL_BYTES (1024ull << 20)
/* Requests a second, and at once: a stream of 150 MB/s needs 600 acknowledgements. */
#define NEGO_HOSTD_CALLS       1000u
#define NEGO_HOSTD_CALLS_BURST 2000u
/* Bytes a second that each port of a guest is read, and at once: as base64 that is 48 MiB a second
 * of a script's input, or output; garbage costs a tenth of a processor. */
#define NEGO_HOSTD_INPUT_BYTES (64u << 20)
/* Synchronisations: an agent makes one for each connection, and after an error. */
#define NEGO_HOSTD_SYNCS       1u
#define NEGO_HOSTD_SYNCS_BURST 60u
/* Lines in the log about a guest's faults; what is more is counted. */
#define NEGO_HOSTD_LOG_BURST 10u
#define NEGO_HOSTD_LOG_S     10
/* For how long, and how many, ids of synchronisations are known again: NEGO_HOSTD_SYNCS of an
 * hour. */
#define NEGO_SYNC_ID_S 3600
#define NEGO_SYNC_IDS  4096u
/* What a guest tells by negotiator-notify. */
#define NEGO_NOTES            64u
#define NEGO_NOTE_NAME_BYTES  64u
#define NEGO_NOTE_VALUE_BYTES 4096u
/* nego-hostd's own socket, and its clients at a time; more wait in the kernel's backlog. */
#define NEGO_CONTROL_SOCKET  "/run/negotiator/hostd.sock"
#define NEGO_CONTROL_MODE    0660u
#define NEGO_CONTROL_CLIENTS 64u
/* Guests of one reply to negotiator-guests: with NEGO_NOTES names each it fits NEGO_REPLY_BYTES. */
#define NEGO_GUESTS_LISTED 64u
/* The socket of a guest: the longest pause between tries, where nothing tells when to try; how long
 * a socket that nobody listens on is tried (2 s in all); for how long a connection must last. */
#define NEGO_CONNECTOR_PAUSE_MS  30000u
#define NEGO_CONNECTOR_STALE_MS  1024u
#define NEGO_CONNECTOR_STEADY_MS 1000
/* libvirt: how long one of its calls is waited for; guests that are looked at, at once (libvirtd
 * serves 5 requests of a connection); the pauses between tries to reach it. */
#define NEGO_LIBVIRT_CALL_S 30
#define NEGO_LIBVIRT_SOCKET "/run/libvirt/libvirt-sock"
#define NEGO_DOMAINS_LOOKS  4u
/* Guests that could not be looked at: the pauses before they are again. */
#define NEGO_DOMAINS_FIRST_MS    1000u
#define NEGO_DOMAINS_PAUSE_MS    60000u
#define NEGO_CONNECTION_FIRST_MS 50u
#define NEGO_CONNECTION_PAUSE_MS 30000u

/* The multiplexer: one connection, many local programs. */
/* Calls that it has out at one time: NEGO_SESSION_CONCURRENT, and room for its own requests. */
#define NEGO_BROKER_CALLS (NEGO_SESSION_CONCURRENT - 4u)
/* Clients of one user that are served at one time: no user fills all of NEGO_BROKER_CALLS. More
 * wait for their turn. */
#define NEGO_BROKER_CLIENTS_OF_USER 32u
/* Those of one user that wait: no user fills all of NEGO_BROKER_CLIENTS. */
#define NEGO_BROKER_LINE_OF_USER 32u
/* Connections in all, those that wait for their turn included: a descriptor each. Root's come on
 * top: whatever others do, it gets in. */
#define NEGO_BROKER_CLIENTS 512u
/* How the error ends that answers the calls that are out when the connection is lost: by it, a
 * client knows that its run may be there to be found again. */
#define NEGO_BROKER_LOST "changed; the command may have run"
/* What a client's request may not have of a message's bytes and tokens: id and key are the
 * broker's. */
#define NEGO_BROKER_SPLICE_BYTES  256u
#define NEGO_BROKER_SPLICE_TOKENS 8u
/* Events that wait for one client: both windows of a flow job as base64 (NEGO_JOB_WINDOW_BYTES), so
 * that a client that says how far it is never loses one. */
#define NEGO_BROKER_EVENTS_BYTES (3u << 20)
/* Jobs whose owner is known: more than an agent keeps. */
#define NEGO_BROKER_OWNED 1024u
/* Those of one user that push out nobody else's. */
#define NEGO_BROKER_OWNED_OF_USER 512u
/* How long calls wait for the answer to a sync, which an agent gives in 0.2 s. */
#define NEGO_BROKER_SYNC_MS 2000u
/* When a sync is refused (its number was used before, in a state of this system that was restored
 * since), another is sent so much later: nego-hostd takes one a second. */
#define NEGO_BROKER_AGAIN_MS 1000u
/* Calls are out, and nothing is heard: then it is asked whether anybody is there. */
#define NEGO_BROKER_QUIET_MS 10000u

/* How long a freeze hook may run, unless the settings say otherwise: a database writes out all it
 * has meanwhile. */
#define NEGO_HOOK_S 600
/* Of its output: the last line, for an error. */
#define NEGO_HOOK_TAIL_BYTES 4096u
/* Pipes that hooks' background children hold. */
#define NEGO_HOOKS_DRAINED 4u
/* How long one file system's thaw is waited for: it takes microseconds, unless its disk is dead. */
#define NEGO_THAW_WAIT_MS 10000
/* How often one file system is thawed, at most. */
#define NEGO_THAWS 1000u

/* Files of /proc and /sys: 8,000 mounts have 1 MiB. */
#define NEGO_SYSFS_FILE_BYTES (16u << 20)
/* Entries of a directory there: far more than there are disks. */
#define NEGO_SYSFS_NAMES 65536u
/* The disks that one file system or RAID lies on. */
#define NEGO_BLOCK_DEVICE_DISKS 256u
/* How long file systems have for their figures: a busy guest's threads wait, too, and the least
 * that clients give a command is 5 s, but for one (VDSM: 1 s), which asks again. */
#define NEGO_FS_USAGE_WAIT_MS 2000
/* How long NVMe disks have to tell their health. */
#define NEGO_NVME_SMART_WAIT_MS 1000
/* File systems, or disks, that are asked at once by one request: half of the threads. */
#define NEGO_SURVEY_AT_ONCE 8u

/* Threads for work that may block. So many dead servers can be asked at once before other such
 * work waits; a thread that sleeps in the kernel costs some 16 KiB. */
#define NEGO_OFFLOAD_THREADS 16
/* Work that waits for one of them: beyond, nobody could answer in time anyway. */
#define NEGO_OFFLOAD_WAITING 256u
