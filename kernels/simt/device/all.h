// The whole vocabulary for nvcc.
#pragma once

#include "kernels/simt/device/atomic.h"
#include "kernels/simt/device/copy.h"
#include "kernels/simt/device/matrix.h"
#include "kernels/simt/device/pointers.h"
#include "kernels/simt/device/threads.h"

#define HEARTH_KERNEL __global__ void
