// The vocabulary of device code. Kernels include this file alone; nvcc gets PTX, other compilers get the emulator.
#pragma once

#include "kernels/simt/vector.h"

#ifdef __CUDACC__
#include "kernels/simt/device/all.h"
#else
#include "kernels/simt/emulator/ops/atomic.h"
#include "kernels/simt/emulator/ops/barrier.h"
#include "kernels/simt/emulator/ops/copy.h"
#include "kernels/simt/emulator/ops/grid.h"
#include "kernels/simt/emulator/ops/index.h"
#include "kernels/simt/emulator/ops/matrix.h"
#include "kernels/simt/emulator/ops/mbarrier.h"
#include "kernels/simt/emulator/ops/shared.h"
#include "kernels/simt/emulator/ops/warp.h"
#define HEARTH_KERNEL inline void
#endif
