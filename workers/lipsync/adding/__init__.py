"""`bin/avatar`: any photograph, film or 3D model becomes a face that a persona can wear.

Outside, `__main__` asks and installs; inside a process of its own with bounded memory and time, `workshop` opens what
somebody sent: `still` photographs, `film` clips, `model_file` 3D heads.
"""
