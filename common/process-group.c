/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/process-group.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to the group's number: a name of 16 bytes, a letter and three numbers. */
#define STAT_BYTES 128

gboolean
nego_process_group_has (pid_t group, pid_t pid)
{
  char text[STAT_BYTES];
  const char *name_end;
  ssize_t n;
  char state;
  int fd, found;

  g_snprintf (text, sizeof text, "/proc/%d/stat", (int) pid);
  fd = open (text, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  if (n <= 0)
    return FALSE;
  text[n] = '\0';
  /* "PID (NAME) STATE PARENT GROUP …" (proc(5)); a name may have brackets and blanks. */
  name_end = strrchr (text, ')');
  return name_end != NULL && sscanf (name_end + 1, " %c %*d %d", &state, &found) == 2
         && found == (int) group && state != 'Z' && state != 'X';
}

pid_t
nego_process_group_find_member (pid_t group)
{
  DIR *processes = opendir ("/proc");
  const struct dirent *entry;
  pid_t member = 0;
  gboolean any = FALSE;

  while (member == 0 && processes != NULL && (entry = readdir (processes)) != NULL) {
    pid_t pid = (pid_t) atoi (entry->d_name);

    any |= pid > 0;
    if (pid > 0 && nego_process_group_has (group, pid))
      member = pid;
  }
  if (processes != NULL)
    closedir (processes);
  return any ? member : -1;
}
