// Times dcmtk on a DICOM file: from the file to 8-bit pixels as they are shown, frame by frame.
//
//     g++ -O2 speed.cc -o speed -ldcmimage -ldcmdata -ldcmjpeg -ldcmimgle -lofstd -loflog
//     speed FILE ROUNDS
//
// Each round opens the file anew and shows each frame with the first window of the file. Prints the milliseconds of each round.

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmimage/diregist.h"
#include "dcmtk/dcmimgle/dcmimage.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

static unsigned long shown(const char *path)
{
    DcmFileFormat file;
    if (file.loadFile(path, EXS_Unknown, EGL_noChange, 4096).bad()) std::exit(2);
    DcmDataset *data = file.getDataset();
    Sint32 frames = 0;
    if (data->findAndGetSint32(DCM_NumberOfFrames, frames).bad()) frames = 1;
    unsigned long sum = 0;
    std::vector<unsigned char> pixels;
    for (Sint32 frame = 0; frame < frames; frame++) {
        DicomImage image(&file, data->getOriginalXfer(), CIF_UsePartialAccessToPixelData, frame, 1);
        if (image.getStatus() != EIS_Normal) std::exit(3);
        if (image.isMonochrome() && image.getWindowCount() > 0) image.setWindow(0);
        pixels.resize(image.getOutputDataSize(8));
        if (!image.getOutputData(pixels.data(), pixels.size(), 8)) std::exit(4);
        sum += pixels[pixels.size() / 2];
    }
    return sum;
}

int main(int count, char **arguments)
{
    if (count != 3) return 1;
    DJDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
    unsigned long sum = 0;
    for (int round = 0; round < std::atoi(arguments[2]); round++) {
        const auto start = std::chrono::steady_clock::now();
        sum += shown(arguments[1]);
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        std::printf("%.3f\n", time.count());
    }
    return sum == 1;
}
