"""Films made offline: a text or a recording to an MP4, by the stages that run live, as fast as they can."""
