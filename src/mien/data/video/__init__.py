"""Video in and out through FFmpeg (PyAV): exact time stamps, upright RGB frames, sound copied, nothing half-written."""

from mien.data.video.reading import VideoInfo, batches, probe, read_video
from mien.data.video.writing import LARGEST, MOVING, VideoWriter

__all__ = ["LARGEST", "MOVING", "VideoInfo", "VideoWriter", "batches", "probe", "read_video"]
