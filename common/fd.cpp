#include "common/fd.h"

#include <unistd.h>

namespace davit {

void Fd::reset(int fd) {
    // close() gives the number back even when it reports an error, so there is nothing to retry; who needs to know
    // fsyncs first.
    if (fd_ >= 0 && fd_ != fd) ::close(fd_);
    fd_ = fd;
}

}  // namespace davit
