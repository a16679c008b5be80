"""Video in and out through FFmpeg (PyAV): exact time stamps, upright RGB frames, sound copied, nothing half-written."""

from mien.data.video.reading import VideoInfo, probe, read_video
from mien.data.video.writing import VideoWriter

__all__ = ["VideoInfo", "VideoWriter", "probe", "read_video"]
